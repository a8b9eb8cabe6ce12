"""Steps that are run in a store of their own, and a bench on which what they left can be read."""

import pytest

from purifold.engine.local import run
from purifold.engine.step import Resources
from purifold.engine.steps.data import Data
from purifold.engine.store import Store


@pytest.fixture(scope="session")
def finished(tmp_path_factory, bench):
    """Runs steps; gives their store and a bench on which their artefacts can be read."""

    def make(*steps):
        store = Store(tmp_path_factory.mktemp("store"))
        run(steps, store)
        return store, bench(tmp_path_factory.mktemp("bench"), store, steps)

    return make


@pytest.fixture(scope="session")
def data():
    return Data.named("digits", Resources())
