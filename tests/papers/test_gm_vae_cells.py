"""The grid of `gm-vae` against what the paper and the issue of stronger attackers ask for."""

from dataclasses import replace

import pytest

from purifold.autoencoders.mixture_spec import MixtureSpec, mixture
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.gm_vae_cells import (
    ALWAYS,
    BARE,
    PLAIN,
    PRINTED,
    PROTOCOL,
    REFUSING,
    SUBJECTS,
    USUAL,
    VARIABLE,
    cells_of,
)

PAPER = {subject.data: subject for subject in SUBJECTS["paper"]}


@pytest.fixture(scope="module")
def cells():
    return cells_of(SUBJECTS["smoke"][0], "supervised", SCALES["smoke"], Resources(), 0)


def test_budgets_are_those_printed_and_those_of_stronger_attackers():
    for data in ("mnist", "fashion-mnist"):
        assert set(PRINTED) | {0.1, 0.2, 0.3} == set(PAPER[data].epsilons)
        assert PAPER[data].lengths == (1.0, 2.0, 3.0)


def test_models_learn_with_all_labels_and_with_a_hundred_a_class():
    assert PAPER["mnist"].classifiers["semi-supervised"] == "gm-vae:labelled=100"
    same, ordinary = VARIABLE.values()
    assert {same, ordinary} < set(PAPER["mnist"].classifiers.values())
    assert (mixture(same).variance, mixture(ordinary).variance) == (MixtureSpec().variance, 1.0)
    assert set(PAPER) == {"mnist", "fashion-mnist", "cifar-10", "coil-100"}


def test_large_images_are_attacked_and_checked_fewer():
    digits, scale = SUBJECTS["smoke"][0], SCALES["smoke"]
    few = cells_of(replace(digits, known=7, audited=3), "supervised", scale, Resources(), 0)
    for experiment in (few.inside[REFUSING], few.nearest):
        assert (experiment.count, experiment.audit) == (7, 3)


def test_all_systems_of_a_model_stand_on_the_same_classifier(cells):
    classifiers = {experiment.system.classifier for experiment in cells.inside.values()}
    assert len(classifiers) == 1
    assert cells.second == REFUSING
    assert cells.refusing.defense == REFUSING
    assert cells.nearest.norm == "l2"
    assert cells.nearest.system == cells.refusing


def test_the_attack_of_the_paper_sees_the_encoder_alone(cells):
    craft = cells.craft(0.3)
    assert (craft.attack.name, craft.knowledge) == (PROTOCOL, "oblivious")
    assert craft.system.defense == BARE
    assert craft.system.classifier == cells.refusing.classifier
    assert cells.answers(ALWAYS, craft).count == craft.count == cells.sizes.attacked


def test_who_knows_the_detectors_weighs_them_in_several_ways(cells):
    threat = cells.inside[REFUSING].judged[-1].threat
    tried = {craft.stand_in for craft in cells.inside[REFUSING].crafts("adaptive", threat)}
    assert tried == {"", "weighed-0.1", "weighed-1", "weighed-10"}
    followed = {
        craft.stand_in for craft in cells.followed(ALWAYS, (threat.epsilon,)).crafts("adaptive", threat)
    }
    assert followed == tried | {"second-look"}
    known, tried = cells.known_ranking(0.3), cells.inside[REFUSING].judged
    assert known.count == cells.sizes.known
    assert set(known.crafts) == {
        craft for judged in tried if judged.threat == threat for craft in judged.crafts
    }


def test_a_plain_classifier_stands_beside():
    plain = cells_of(SUBJECTS["smoke"][0], USUAL, SCALES["smoke"], Resources(), 0)
    assert plain.second == PLAIN
    assert plain.refusing.classifier.network == "small-cnn"
    assert set(plain.inside) == {BARE, PLAIN}
    assert plain.ranking(None).crafts == ()


def test_the_second_look_is_followed_on_few_images(cells):
    followed = cells.followed(ALWAYS, cells.printed)
    assert followed.count == cells.sizes.followed
    assert followed.epsilons == cells.printed == (0.06, 0.3)
