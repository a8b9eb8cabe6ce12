"""The grid of `ae-robustness`: what the paper varies, and what is one experiment under several names."""

from dataclasses import replace

import pytest

from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.ae_robustness_cells import CONTRACTED_AT, GRIDS, cells_of


@pytest.fixture(scope="module")
def cells():
    grid = GRIDS["smoke"]
    return cells_of(grid.subjects[0], grid, SCALES["smoke"], Resources(), 0)


def test_scales_cover_what_the_paper_varies():
    grid = GRIDS["paper"]
    for subject in grid.subjects:
        assert subject.sweep.noise == (0.0, 0.1, 0.2, 0.3, 0.4)
        assert subject.sweep.scales == (0.0, 0.001, 0.01, 0.1, 1.0, 3.0, 10.0)
        assert subject.sweep.coefficients == (0.0, 0.001, 0.01, 0.1, 1.0)
    budgets = {subject.data: subject.epsilons for subject in grid.subjects}
    assert (budgets["mnist"][0], budgets["mnist"][-1]) == (0.05, 0.3)
    assert (budgets["btsc"][0], budgets["btsc"][-1]) == (0.005, 0.03)


def test_an_autoencoder_without_its_noise_or_its_penalty_is_the_plain_one(cells):
    assert cells.noisy("dae", 0.0) == cells.noisy("ae", 0.0)
    assert cells.noisy("dvae", 0.0) == cells.noisy("vae", 0.0)
    most = cells.subject.sweep.most
    assert cells.scaled("vae", 1.0) == cells.noisy("vae", most)
    grid = GRIDS["cpu"].subjects[0]
    assert CONTRACTED_AT not in grid.sweep.noise  # so that the one below is trained for Fig. 4 alone
    assert cells.contracted("cae", 0.0).system.defense == f"ae:noise_std={CONTRACTED_AT}"


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "dvae"])
def test_noise_of_the_name_is_noise_of_the_training(cells, kind):
    (training,) = cells.noisy(kind, 0.2).system.autoencoders
    assert training.spec.noise_std == 0.2
    assert training.spec.denoising == kind.startswith("d")
    assert training.spec.kind == ("variational" if "vae" in kind else "plain")


def test_a_scale_changes_the_sampling_and_nothing_that_is_trained(cells):
    still, whole = cells.scaled("dvae", 0.0), cells.scaled("dvae", 1.0)
    assert still.system.autoencoders == whole.system.autoencoders
    assert (still.system.recipe.stochastic, whole.system.recipe.stochastic) == (False, True)


def test_a_coefficient_is_the_weight_of_the_penalty(cells):
    for kind in ("cae", "cvae"):
        (training,) = cells.contracted(kind, 0.1).system.autoencoders
        assert (training.spec.contractive_weight, training.spec.noise_std) == (0.1, CONTRACTED_AT)


def test_codes_are_those_of_the_images_that_the_papers_attack_makes_at_the_telling_budget(cells):
    point = cells.codes("vae", 0.2)
    assert point.x == 0.2
    craft = point.shift.craft
    assert (craft.attack.name, craft.threat.epsilon, craft.draws) == ("cw-l2", cells.subject.telling, 1)
    assert point.codes.autoencoder == point.shift.autoencoder == craft.system.autoencoders[0]


def test_what_a_subject_leaves_open_is_the_scales():
    grid = GRIDS["smoke"]
    subject = replace(grid.subjects[0], images=None, seen=2_200, batch_size=16)
    found = cells_of(subject, replace(grid, eot=7, encoded=3_300), SCALES["smoke"], Resources(), 0)
    bare, vae = found.found["none"], found.noisy("vae", 0.2)
    assert bare.count == 497  # the paper's 1,000, of which the digits have fewer
    assert bare.system.classifier.config.epochs == 2
    (training,) = vae.system.autoencoders
    assert (training.config.epochs, training.config.batch_size, vae.eot) == (3, 16, 7)


def test_three_systems_are_audited_where_any_is():
    grid = replace(GRIDS["smoke"], audit=5)
    found = cells_of(grid.subjects[0], grid, SCALES["smoke"], Resources(), 0).found
    audited = {name: experiment.audit for name, experiment in found.items() if experiment.audit}
    assert audited == {"none": 5, "dae:noise_std=0.2": 5, "vae:noise_std=0.2": 5}
