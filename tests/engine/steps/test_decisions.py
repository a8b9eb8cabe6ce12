"""Decisions: every image is right, wrong or turned away, and counted once."""

import pytest

from purifold.attacks.base import BudgetError
from purifold.defenses.base import REJECTED
from purifold.engine.step import Resources
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.decisions import Decisions, read_decisions


@pytest.fixture(scope="module")
def made(tiny, composed, finished):
    scale = tiny(images=40, seen=11_000, encoded=5_500, epochs=10)
    (experiment,) = composed(
        scale,
        defenses=("ae-detector:false_positive_rate=0.2",),
        attacks=("fgsm",),
        epsilons=(0.1,),
    )
    craft = experiment.crafts("oblivious", experiment.judged[0].threat)[0]
    clean, attacked = (
        Decisions(system=experiment.system, count=40, craft=each, seed=0) for each in (None, craft)
    )
    store, bench = finished(clean, attacked, *experiment.trainings(), craft)
    return [(step, read_decisions(store.fetch(step))) for step in (clean, attacked)], bench


def test_answers_are_those_of_the_system(made):
    both, bench = made
    for step, found in both:
        split = step.system.data.part("test", Resources(), 40)
        images = split.images() if step.craft is None else step.craft.load(bench)
        assert (found.answers == step.system.build(bench).predict(images)).all()
        assert (found.labels == split.labels).all()


def test_each_image_counts_once(made):
    for _, found in made[0]:
        assert found.right.successes + found.wrong.successes + found.rejected.successes == 40
        assert found.rejected.successes == int((found.answers == REJECTED).sum())
    (_, clean), (_, attacked) = made[0]
    assert 0 < clean.rejected.successes < 20
    assert clean.right.successes > attacked.right.successes


def test_images_beyond_the_budget_are_refused(made, monkeypatch):
    both, bench = made
    step = both[1][0]
    clean = step.system.data.part("test", Resources(), 40).images()
    monkeypatch.setattr(Craft, "load", lambda craft, bench: 1 - clean)
    with pytest.raises(BudgetError, match="fgsm left"):
        step.run(bench)
