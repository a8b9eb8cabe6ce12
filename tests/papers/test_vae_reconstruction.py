"""`vae-reconstruction` makes images on every network once, and lists where they came from."""

from collections import Counter

import pytest

from purifold.engine.plan import needed
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.library import paper


@pytest.fixture(scope="module")
def study():
    return paper("vae-reconstruction").study(SCALES["smoke"], Resources(), 0)


def test_nothing_is_made_twice(study):
    steps = needed(study.steps(), lambda step: False)[1]
    kinds = Counter(step.kind for step in steps)
    classifiers, purifiers, latents, attacks = 2, 4, 2, 4
    assert kinds["train-classifier"] == classifiers
    assert kinds["train-autoencoder"] == kinds["codes"] == purifiers * latents
    crafts = Counter((step.knowledge, step.draws > 1) for step in steps if step.kind == "craft")
    assert crafts == {
        ("oblivious", False): classifiers * attacks,
        ("transfer", False): classifiers * attacks,
        ("adaptive", False): classifiers * purifiers * attacks,
        ("adaptive", True): classifiers,  # PGD through the sampling of the VAE
    }
    assert kinds["judge"] == classifiers * (purifiers + 1) * 3


def test_an_attacker_transfers_from_every_other_classifier_that_is_attacked_itself(study):
    attacked = {experiment.system.classifier for experiment in study.experiments}
    for experiment in study.experiments:
        assert set(experiment.substitutes) == attacked - {experiment.system.classifier}


def test_names_of_records_differ(study):
    names = [experiment.name for experiment in study.experiments]
    assert len(set(names)) == len(names)
