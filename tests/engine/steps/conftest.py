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


@pytest.fixture(scope="session")
def refusing(tiny, composed, finished):
    """What every step left, the steps by name, and the trained system."""
    from purifold.attacks.descent import Descent
    from purifold.attacks.pgd import PGD
    from purifold.engine.steps.alarms import Alarms
    from purifold.engine.steps.flood import Flood
    from purifold.engine.steps.forgery import Forgery
    from purifold.engine.steps.selection import Selection
    from purifold.engine.steps.unseen import Unseen
    from purifold.threat import ThreatModel

    descents = (Descent(steps=10), Descent(steps=15, nearness=0.0))
    scale = tiny(images=60, seen=11_000, encoded=11_000, epochs=10)
    (experiment,) = composed(
        scale, classifier="gm-vae", defenses=("gm-vae",), attacks=("fgsm",), epsilons=(0.3,)
    )
    system, craft = experiment.system, experiment.crafts("oblivious", experiment.judged[0].threat)[0]
    steps = {
        "forged": Forgery(system=system, each=2, rubbish=False, descents=descents, seed=0),
        "from noise": Forgery(system=system, each=3, rubbish=True, descents=descents, seed=0),
        "far": Flood(system=system, count=40, attack=PGD(steps=5), threat=ThreatModel("linf", 0.4), seed=0),
        "near": Flood(system=system, count=40, attack=PGD(steps=5), threat=ThreatModel("linf", 1e-6), seed=0),
        "noise": Unseen(system=system, source="uniform", count=50, seed=0),
        "itself": Unseen(system=system, source=system.data, count=50, seed=0),
        "alarms": Alarms(system=system, count=60, craft=craft),
        "no alarms": Alarms(system=system, count=60, craft=None),
        "clean": Selection(system=system, count=60, crafts=()),
        "attacked": Selection(system=system, count=60, crafts=(craft,)),
    }
    store, bench = finished(*steps.values(), *experiment.trainings(), craft)
    steps["craft"] = craft
    return {name: store.fetch(step) for name, step in steps.items()}, steps, system.build(bench)
