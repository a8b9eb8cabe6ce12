"""`puvae` trains what its defenses need once, and finds every printed number a place."""

from collections import Counter

import pytest

from purifold.engine.plan import needed
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.library import paper
from purifold.papers.puvae import _printed
from purifold.papers.puvae_cells import SUBJECTS


@pytest.fixture(scope="module")
def study():
    return paper("puvae").study(SCALES["smoke"], Resources(), 0)


def test_nothing_is_trained_twice(study):
    steps = needed(study.steps(), lambda step: False)[1]
    kinds = Counter(step.kind for step in steps if step.kind.startswith("train"))
    assert kinds == {
        "train-classifier": 2,  # the one attacked, and the source that PuVAE looks through
        "train-adversarial": 2,
        "train-autoencoder": 2,  # MagNet's, with and without its detectors
        "train-conditional": 9,  # PuVAE, and the readings of figure 4
        "train-generator": 1,
    }


def test_names_of_records_differ(study):
    names = [experiment.name for experiment in study.experiments]
    assert len(set(names)) == len(names)


def test_attacks_of_the_paper_are_targeted_and_share_their_images(study):
    steps = needed(study.steps(), lambda step: False)[1]
    oblivious = [step for step in steps if step.kind == "craft" and step.knowledge == "oblivious"]
    counts = {step.count for step in oblivious}
    assert counts == {40, 20, 8}  # by attackers who do not know the defense, by those who do; Defense-GAN's
    per_count = Counter((step.attack.label, step.threat.norm, step.count) for step in oblivious)
    assert set(per_count.values()) == {1}
    assert {name for name, norm, _ in per_count if norm == "linf"} == {
        "fgsm-targeted",
        "i-fgsm-targeted",
        "rand-fgsm-targeted",
        "pgd",
        "apgd",
    }


def test_every_defense_meets_attacks_of_shrinking_steps_but_the_one_that_descends_for_each(study):
    inside = [experiment for experiment in study.experiments if experiment.norm == "linf"]
    assert {experiment.system.recipe.name for experiment in inside} >= {
        "none",
        "magnet",
        "puvae",
        "defense-gan",
    }
    for experiment in inside:
        met = "apgd" in {found.name for found in experiment.attacks}
        assert met == (experiment.system.recipe.name != "defense-gan")


def test_every_printed_number_has_a_cell():
    subjects = {subject.data: subject for subject in SUBJECTS["paper"]}
    count = 0
    for data, classifiers in _printed().items():
        subject = subjects[data]
        assert set(classifiers) == set(subject.classifiers)
        for attacks in classifiers.values():
            for attack, accuracy in attacks.items():
                assert attack in ("clean", "cw-l2") or f"{attack}-targeted" in subject.attacks
                assert set(accuracy) <= set(subject.defenses)
                count += len(accuracy)
    assert count == 3 * 2 * (1 + 4 * 5)
