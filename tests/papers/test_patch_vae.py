"""`patch-vae` finds every printed number a place, and makes nothing twice."""

from collections import Counter

import pytest

from purifold.defenses.recipe import parse
from purifold.engine.plan import needed
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.difference import DifferenceFigure, DifferenceTable
from purifold.papers.library import paper
from purifold.papers.patch_vae import _text
from purifold.papers.patch_vae_cells import ATTACKS, BARE, FILTER, SUBJECTS


@pytest.fixture(scope="module")
def study():
    return paper("patch-vae").study(SCALES["smoke"], Resources(), 0)


def made(study):
    return needed(study.steps(), lambda step: False)[1]


def test_nothing_is_trained_twice(study):
    kinds = Counter(step.kind for step in made(study) if step.kind.startswith("train"))
    # the VAE of patches serves the defense with its filter and the one without
    assert kinds == {"train-classifier": 2, "train-autoencoder": 1, "train-patches": 1}


def test_each_attack_on_a_bare_classifier_is_made_once_for_all_defenses(study):
    bare = [step for step in made(study) if step.kind == "craft" and step.system.defense == "none"]
    per_classifier = Counter(
        (step.system.classifier.network, step.attack.name, step.view.suffix) for step in bare
    )
    assert set(per_classifier.values()) == {2}  # budgets
    assert {suffix for _, _, suffix in per_classifier} == {"", "+surrogate"}  # of whatever has no gradient


def test_stochastic_systems_are_attacked_on_average_and_the_codec_by_its_stand_in(study):
    views = {
        (step.system.defense.partition(":")[0], step.attack.name, step.draws > 1, step.stand_in)
        for step in made(study)
        if step.kind == "craft" and step.knowledge == "adaptive"
    }
    for defense in ("vae", "patch-vae"):
        assert (defense, "i-fgsm", True, "") in views
        assert (defense, "i-fgsm", False, "") in views
    assert ("jpeg", "i-fgsm", False, "soft") in views


def test_names_of_records_and_exhibits_differ(study):
    for names in (
        [experiment.name for experiment in study.experiments],
        [exhibit.name for exhibit in study.exhibits],
    ):
        assert len(set(names)) == len(names)
    assert {exhibit.name for exhibit in study.exhibits} >= {"table-4", "table-6", "table-7", "fig-1"}


def test_every_printed_number_has_a_cell():
    subjects = {name: subject for subject in SUBJECTS["paper"] for name in subject.tables.values()}
    assert set(subjects) == set(_text())
    count = 0
    for name, rows in _text().items():
        for row in rows:
            assert set(row) - {"relative_l2"} <= set(subjects[name].defenses)
            count += len(row) - 1
    assert count == (6 + 5) * 3 + (11 + 11) * 8


def test_the_paper_scale_is_the_paper_s():
    mnist, cifar, nips = SUBJECTS["paper"]
    assert (mnist.images, mnist.epsilons[-1] >= 0.12, cifar.epsilons[-1] >= 0.1) == (10_000, True, True)
    assert (nips.epsilons[0], nips.epsilons[-1]) == (0.005, 0.09)
    sizes = {
        name: (spec.patch, spec.latent)
        for name, text in nips.defenses.items()
        for spec in parse(text).specs()
        if name.startswith("vae")
    }
    assert sizes == {
        "vae-16-stride-16": (16, 512),
        "vae-32-stride-32": (32, 512),
        "vae-64-stride-32": (64, 1024),
        "vae-64-stride-64": (64, 1024),
        "vae-16-stride-16, no filter": (16, 512),
    }
    for name in sizes:
        stride = parse(nips.defenses[name]).describe()["options"]["stride"]
        assert f"stride-{stride}" in name


def test_several_vaes_have_panels_of_their_own_and_every_defense_has_one(study):
    one, several = (found for found in study.exhibits if isinstance(found, DifferenceFigure))
    assert [drawn.panel.title for drawn in one.panels] == ["digits, fgsm", "digits, i-fgsm"]
    titles = [f"digits, {attack}: {kind}" for attack in ATTACKS for kind in ("no VAE", "VAEs")]
    assert [drawn.panel.title for drawn in several.panels] == titles
    shown = [[curve.label for curve in drawn.panel.curves] for drawn in several.panels[:2]]
    assert shown == [
        [BARE, FILTER],
        [BARE, "vae-16-stride-16", "vae-16-stride-16, no filter"],
    ]
    assert [curve.label for curve in one.panels[0].panel.curves] == [BARE, "jpeg-23", FILTER, "vae"]


def test_a_pair_with_and_without_the_filter_differs_in_the_filter_alone():
    for subjects in SUBJECTS.values():
        for subject in subjects:
            if subject.unfiltered:
                filtered, bare = (parse(subject.defenses[name]) for name in subject.unfiltered)
                assert filtered.with_options(smoothing="none") == bare


def test_printed_numbers_stand_beside_the_images_of_the_paper_alone(study):
    tables = [found for found in study.exhibits if isinstance(found, DifferenceTable)]
    assert all(table.printed for table in tables)  # ours is read off at the paper's differences
    assert not any(shares for table in tables for shares in table.printed.values())
