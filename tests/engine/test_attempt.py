"""One attempt: how it ended, for all that can happen to it; nothing but an interrupt is raised."""

import pytest

from purifold.engine.attempt import attempt
from purifold.engine.make import DiskFull
from purifold.engine.store import Store, Unsound


def quiet(fraction, note):
    """Says nothing."""


@pytest.fixture
def failing(program, monkeypatch):
    """Lets every step raise an error."""

    def fails(error):
        def run(step, bench):
            raise error

        monkeypatch.setattr(program.Mix, "run", run)

    return fails


def test_a_step_is_made_once_and_found_from_then_on(step, store, resources, program):
    first, second = (attempt(step, store, resources, quiet) for _ in range(2))
    assert (first.ending, first.seconds, first.error) == ("made", store.manifest(step).seconds, None)
    assert (second.ending, second.seconds, second.error) == ("found", 0.0, None)
    assert program.ends(resources) == {step.key: 1}


def test_a_step_in_other_hands_is_busy_and_is_not_waited_for(step, store, resources):
    with Store(store.address, store.cache).lock(step):
        ended = attempt(step, store, resources, quiet)
    assert (ended.ending, ended.error) == ("busy", None)
    assert not store.has(step)


def test_a_step_without_its_input_is_unsound(step, store, resources, program):
    ended = attempt(program.Mix(name="user", parts=(step,)), store, resources, quiet)
    assert ended.ending == "unsound"
    assert isinstance(ended.error, Unsound)
    assert "only is not in" in str(ended.error)


@pytest.mark.parametrize(
    ("error", "kind"), [(ValueError("diverged"), ValueError), (OSError(28, "No space left"), DiskFull)]
)
def test_a_step_that_raises_has_failed_with_what_it_raised(step, store, resources, failing, error, kind):
    failing(error)
    ended = attempt(step, store, resources, quiet)
    assert ended.ending == "failed"
    assert isinstance(ended.error, kind)


def test_an_interrupt_is_no_ending(step, store, resources, failing):
    failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        attempt(step, store, resources, quiet)
