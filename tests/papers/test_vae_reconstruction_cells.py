"""The grid of `vae-reconstruction`: who attacks from where, and how long which autoencoder is trained."""

from dataclasses import replace

import pytest

from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.vae_reconstruction_cells import GRIDS, OTHERS, SMALL, cells_of


@pytest.fixture(scope="module")
def subject():
    return GRIDS["smoke"].subjects[0]


def test_the_paper_scale_has_its_data_sets_its_mlp_and_its_latent_sizes():
    grid = GRIDS["paper"]
    assert [subject.data for subject in grid.subjects] == ["mnist", "cifar-10"]
    assert all(subject.classifiers[0] == "mlp" for subject in grid.subjects)
    assert all(subject.latents == (8, 16, 32, 64, 128, 256) for subject in grid.subjects)


def test_the_purifiers_are_among_the_autoencoders_of_the_figure():
    for grid in GRIDS.values():
        assert all(subject.latent in subject.latents for subject in grid.subjects)


def test_every_latent_size_is_trained_and_only_vaes_until_they_settle(subject):
    settled = replace(subject, settled=22_000)
    codes = cells_of(settled, GRIDS["smoke"], SCALES["smoke"], Resources(), 0).codes
    assert set(codes) == {(kind, latent) for kind in (*OTHERS, "vae") for latent in subject.latents}
    for (kind, latent), found in codes.items():
        training = found.autoencoder
        assert training.spec.latent == latent
        lengths = (training.config.epochs, training.config.batch_size)
        assert lengths == ((20, SMALL) if kind == "vae" else (round(80_000 / 1_100), 128))


def test_an_attacker_has_the_very_classifiers_that_are_attacked(subject):
    systems = cells_of(subject, GRIDS["smoke"], SCALES["smoke"], Resources(), 0).systems
    for (network, _), experiment in systems.items():
        others = [
            systems[other, "none"].system.classifier for other in subject.classifiers if other != network
        ]
        assert list(experiment.substitutes) == others
        assert experiment.system.classifier.network == network


def test_only_bare_classifiers_and_vaes_go_through_all_checks(subject):
    grid = replace(GRIDS["smoke"], audit=5)
    systems = cells_of(subject, grid, SCALES["smoke"], Resources(), 0).systems
    audited = {(defense, experiment.audit) for (_, defense), experiment in systems.items()}
    assert audited == {("none", 5), ("vae", 5), *((kind, 0) for kind in OTHERS)}
