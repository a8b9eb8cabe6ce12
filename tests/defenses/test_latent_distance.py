"""The latent detector: distances and thresholds against closed forms."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2

from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.defenses.latent_distance import LatentDistance, spread
from purifold.randomness import seeded

SHAPE, CLASSES = (1, 8, 8), 3


@pytest.fixture
def autoencoder():
    with seeded(0):
        return MixtureSpec(units=4).build(SHAPE, CLASSES).eval()


@pytest.fixture
def coded(autoencoder, monkeypatch):
    """The autoencoder, its encoder replaced: the code of an image is its first row's first four pixels."""
    monkeypatch.setattr(type(autoencoder), "encode", lambda self, images: 4 * images[:, 0, 0, :4] - 1.5)
    return autoencoder


def images_of(codes):
    images = torch.zeros(len(codes), *SHAPE)
    images[:, 0, 0, :4] = (codes + 1.5) / 4
    return images


@pytest.fixture
def drawn(coded):
    """Codes around the means with a covariance that is known, as images, the codes, and the covariance."""
    factor = torch.tensor([[0.1, 0, 0, 0], [0.05, 0.1, 0, 0], [0, 0, 0.02, 0], [0, 0.05, 0, 0.05]])
    with seeded(1):
        codes = coded.means.repeat(4000, 1) + torch.randn(12000, 4) @ factor.T
    return images_of(codes), codes, factor @ factor.T


def test_the_distance_is_mahalanobis_to_the_mean_of_the_answer(coded, drawn):
    images, codes, covariance = drawn
    found = LatentDistance(coded, covariance)(images[:50])
    inverse = np.linalg.inv(covariance.double().numpy())
    answers = coded(images[:50]).argmax(dim=1)
    for code, answer, score in zip(codes[:50].double().numpy(), answers, found, strict=True):
        expected = mahalanobis(code, coded.means[answer].double().numpy(), inverse) ** 2
        assert float(score) == pytest.approx(expected, rel=1e-3)


def test_a_code_that_lies_well_for_another_class_than_its_answer_is_far_away(coded):
    codes = torch.tensor([[0.45, 0.55, 0.0, 0.5]])
    off, covariance = codes[0] - coded.means[0], 1e-4 * torch.eye(4)
    covariance += torch.outer(off, off)
    assert int(coded(images_of(codes)).argmax()) == 1
    detector = LatentDistance(coded, covariance)
    assert float(detector.distances(codes)[0, 0]) < 1
    assert float(detector(images_of(codes))) > 100


def test_the_covariance_is_that_of_the_codes(coded, drawn):
    images, _, covariance = drawn
    torch.testing.assert_close(spread(coded, images), covariance, rtol=0.05, atol=2e-4)


def test_three_sigma_rejects_gaussian_codes_as_rarely_as_it_says(coded, drawn):
    images, _, _ = drawn
    detector = LatentDistance(coded, spread(coded, images)).eval()
    detector.three_sigma()
    assert float(detector.threshold) == pytest.approx(chi2.ppf(0.9973, 4), rel=1e-5)
    rejected = int((~detector.accepts(images)).sum())
    assert abs(rejected - 0.0027 * 12000) < 4 * (0.0027 * 12000) ** 0.5


def test_codes_that_lie_in_a_plane_have_a_distance_all_the_same(coded):
    codes = coded.means.repeat(20, 1)
    codes[:, 0] += torch.linspace(-0.1, 0.1, 60)
    detector = LatentDistance(coded, spread(coded, images_of(codes)))
    aside = images_of(coded.means[:1] + torch.tensor([0, 0.05, 0, 0]))
    assert detector(aside) > 100
    assert detector(images_of(codes)).max() < 10


def test_few_images_are_enough_for_many_units(coded):
    """Four images of a latent of four units: new codes of the same kind are not far away."""
    with seeded(2):
        codes = coded.means[[0, 1, 2, 0]] + 0.05 * torch.randn(4, 4)
        new = coded.means.repeat(100, 1) + 0.05 * torch.randn(300, 4)
    detector = LatentDistance(coded, spread(coded, images_of(codes)))
    assert float(detector(images_of(new)).median()) < 20
