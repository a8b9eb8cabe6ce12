"""The grid of `patch-vae` against what the paper prints of its attacks and defenses."""

from dataclasses import replace

import pytest

from purifold.engine.compose import attack
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.patch_vae_cells import (
    ATTACKS,
    AUDITED,
    AVERAGED,
    BARE,
    FILTER,
    JPEGS,
    SUBJECTS,
    cells_of,
)

PAPER = {subject.data: subject for subject in SUBJECTS["paper"]}
SMOKE = SCALES["smoke"]


@pytest.fixture(scope="module")
def tiled():
    """The experiments of patches at the smallest scale, with seed 3."""
    return cells_of(SUBJECTS["smoke"][1], SMOKE, Resources(), 3)


@pytest.mark.parametrize(
    ("data", "least", "most"), [("mnist", 0, 0.12), ("cifar-10", 0, 0.1), ("nips-2017", 0.005, 0.09)]
)
def test_budgets_span_those_of_the_paper_in_order(data, least, most):
    epsilons = PAPER[data].epsilons
    assert epsilons == tuple(sorted(set(epsilons)))
    assert 0 < epsilons[0] <= max(least, 0.005)
    assert epsilons[-1] >= most


def test_all_of_mnist_is_attacked_at_each_scale_beyond_the_smallest():
    for scale in ("cpu", "paper"):
        (mnist,) = (subject for subject in SUBJECTS[scale] if subject.data == "mnist")
        assert max(mnist.images, mnist.wide) == 10_000


def test_attackers_who_do_not_know_the_defense_try_more_images_where_a_subject_says_so():
    subject = replace(SUBJECTS["smoke"][0], wide=50)
    for experiment in cells_of(subject, SMOKE, Resources(), 0).systems.values():
        assert {judged.count for judged in experiment.judged} == {40}
        assert {(judged.count, judged.knowledge) for judged in experiment.widely} == {(50, "oblivious")}


def test_a_slow_defense_is_attacked_on_few_images_by_who_knows_it_and_on_all_by_who_does_not():
    slow, quick = "vae-16-stride-16", "vae-16-stride-16, no filter"
    subject = replace(SUBJECTS["smoke"][1], few={slow: 10, FILTER: 40})
    systems = cells_of(subject, SMOKE, Resources(), 0).systems
    assert {judged.count for judged in systems[slow].judged} == {10}
    assert {judged.count for judged in systems[slow].widely} == {40}
    assert {craft.view.draws for judged in systems[slow].judged for craft in judged.crafts} == {1}
    assert {judged.count for judged in (*systems[FILTER].judged, *systems[quick].judged)} == {40}
    assert not systems[FILTER].widely
    assert max(craft.view.draws for judged in systems[quick].judged for craft in judged.crafts) == 2


def test_both_attacks_are_the_paper_s_and_not_targeted():
    fgsm, repeated = map(attack, ATTACKS)
    assert not fgsm.targeted
    assert not repeated.targeted
    assert repeated.steps == 10


def test_the_filter_alone_and_jpeg_of_four_qualities_stand_beside_each_vae():
    for subject in PAPER.values():
        assert {BARE, FILTER, "blur", *JPEGS} <= set(subject.defenses)
        assert any(name.startswith("vae") for name in subject.defenses)
    assert set(JPEGS.values()) == {f"jpeg:quality={quality}" for quality in (10, 23, 50, 75)}


def test_every_subject_starts_with_the_classifier_alone_and_the_paper_s_tables_are_all_there():
    for subjects in SUBJECTS.values():
        for subject in subjects:
            assert subject.tables
            assert next(iter(subject.defenses)) == BARE
    names = [name for subject in PAPER.values() for name in subject.tables.values()]
    assert sorted(names) == ["table-4", "table-5", "table-6", "table-7"]


def test_a_system_is_named_and_made_as_the_subject_says(tiled):
    assert list(tiled.systems) == list(tiled.subject.defenses)
    for name, experiment in tiled.systems.items():
        assert experiment.epsilons == tiled.subject.epsilons
        assert experiment.count == tiled.subject.images
        assert (experiment.draws, experiment.eot) == (tiled.subject.draws, tiled.subject.eot)
        assert experiment.seed == 3
        assert experiment.averaged == AVERAGED, name


def test_who_does_not_know_the_defense_never_stands_without_who_does(tiled):
    for experiment in tiled.systems.values():
        assert {"oblivious", "adaptive"} <= set(experiment.knowledge)


def test_one_vae_shows_pictures_and_few_systems_go_through_all_checks(tiled):
    shown = [name for name, experiment in tiled.systems.items() if experiment.pictures]
    assert shown == ["vae-16-stride-16"]
    audited = {name for name, experiment in tiled.systems.items() if experiment.audit}
    assert audited == set(tiled.systems) & set(AUDITED)


def test_what_a_subject_leaves_open_is_the_scale_s():
    subject = replace(SUBJECTS["smoke"][0], draws=None, eot=None, audit=None)
    for experiment in cells_of(subject, SMOKE, Resources(), 0).systems.values():
        assert (experiment.draws, experiment.eot) == (SMOKE.draws, SMOKE.eot)
        assert experiment.audit in (0, SMOKE.audit)
