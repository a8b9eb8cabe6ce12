"""Pace: the answers are those of the system, and the seconds those of all images at once."""

import time

import pytest
import torch

from purifold.attacks.base import BudgetError
from purifold.defenses.base import REJECTED, Defended
from purifold.engine.step import Resources
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.pace import Pace, read_pace
from purifold.engine.steps.system import System
from purifold.engine.steps.timing import timed

HERE = Resources()


@pytest.fixture(scope="module")
def made(tiny, composed, finished):
    """What was found, the step, and a bench with the attacked images and the system that answers."""
    scale = tiny(images=40, seen=11_000, epochs=10)
    (experiment,) = composed(scale, defenses=("blur",), attacks=("fgsm", "pgd:steps=3"), epsilons=(0.3,))
    crafts = experiment.crafts("oblivious", experiment.judged[0].threat)
    pace = Pace(system=experiment.system, count=experiment.count, crafts=crafts, seed=0)
    store, bench = finished(pace, *crafts, *experiment.trainings())
    return read_pace(store.fetch(pace)), pace, bench


def test_right_answers_are_counted_by_attack(made):
    found, pace, place = made
    defended, split = pace.system.build(place), pace.system.data.part("test", HERE, pace.count)
    labels = split.labels.long()
    expected = {"": int((defended.predict(split.images()) == labels).sum())}
    for craft in pace.crafts:
        expected[craft.attack.label] = int((defended.predict(craft.load(place)) == labels).sum())
    assert found.correct == expected
    assert found.images == 40
    assert expected["pgd"] < expected[""]
    assert found.seconds > 0


def test_an_attacked_image_turned_away_is_a_success_and_a_clean_one_a_loss(made, monkeypatch):
    found, pace, place = made
    answer = Defended.predict

    def some_rejected(system, images, **settings):
        predicted = answer(system, images, **settings)
        predicted[:5] = REJECTED
        return predicted

    labels = pace.system.data.part("test", HERE, pace.count).labels.long()
    system = pace.system.build(place)
    submitted = {"": pace.system.data.part("test", HERE, pace.count).images()}
    submitted |= {craft.attack.label: craft.load(place) for craft in pace.crafts}
    monkeypatch.setattr(Defended, "predict", some_rejected)
    pace.run(place)
    monkeypatch.undo()
    again = read_pace(place.folder)
    for name, images in submitted.items():
        first = int((system.predict(images)[:5] == labels[:5]).sum())
        assert again.correct[name] == found.correct[name] - first + (5 if name else 0)


def test_images_beyond_the_budget_are_not_counted(made, monkeypatch):
    _, pace, place = made
    monkeypatch.setattr(Craft, "load", lambda craft, bench: torch.ones(40, 1, 8, 8))
    with pytest.raises(BudgetError, match=r"fgsm left linf 0\.3"):
        pace.run(place)


def test_what_is_timed_is_the_call():
    answer, seconds = timed(lambda images: time.sleep(0.05) or len(images), torch.zeros(3, 1, 2, 2))
    assert answer == 3
    assert 0.05 <= seconds < 0.2


def test_systems_share_the_attacked_images(made):
    _, pace, _ = made
    other = System.of(pace.system.classifier, "jpeg")
    craft = pace.crafts[0]
    again = Craft.of(other, craft.count, craft.attack, craft.threat, "oblivious", seed=craft.seed)
    assert again.key == craft.key
