"""MagNet's thresholds, and what is rejected by whom."""

import pytest
import torch
from torch import nn

from purifold.data.split import Split
from purifold.defenses.base import REJECTED
from purifold.defenses.recipe import parse
from purifold.errors import InputError
from purifold.randomness import seeded

SHAPE = (1, 8, 8)


@pytest.fixture
def classifier():
    with seeded(0):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()


@pytest.fixture
def clean():
    pixels = torch.randint(0, 256, (2000, *SHAPE), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    return Split("noise/validation", pixels, torch.zeros(2000, dtype=torch.int64), ("a", "b", "c"))


def built(text, classifier, clean):
    recipe = parse(text)
    with seeded(2):
        trained = [spec.build(SHAPE).eval() for spec in recipe.specs(network="ae-robustness", latent=4)]
    return recipe.build(classifier, trained, clean), trained


@pytest.mark.parametrize(
    ("text", "detectors", "rate"),
    [("magnet", 2, 0.001), ("magnet-color", 3, 0.005), ("magnet:detect=false", 0, 0)],
)
def test_each_detector_rejects_its_share_of_the_clean_images(text, detectors, rate, classifier, clean):
    defended, _ = built(text, classifier, clean)
    assert len(defended.detectors) == detectors
    rejected = [(~detector.accepts(clean.images())).sum().item() for detector in defended.detectors]
    assert rejected == [rate * 2000] * detectors
    share = (defended.predict(clean.images()) == REJECTED).float().mean().item()
    assert rate <= share <= detectors * rate


def test_the_detectors_are_those_of_the_paper(classifier, clean):
    defended, (pooled, flat) = built("magnet", classifier, clean)
    first, second = defended.detectors
    assert (first.autoencoder, first.order) == (pooled, 2)
    assert (second.autoencoder, second.order) == (flat, 1)
    assert defended.purifier.autoencoder is pooled
    defended, (only,) = built("magnet-color", classifier, clean)
    error, *divergences = defended.detectors
    assert (error.autoencoder, error.order) == (only, 1)
    assert [detector.temperature for detector in divergences] == [10, 40]
    assert all(detector.autoencoder is only for detector in divergences)


def test_accepted_images_are_classified_as_reformed(classifier, clean):
    defended, (pooled, _) = built("magnet", classifier, clean)
    images = clean.images()[:50]
    accepted = defended.predict(images) != REJECTED
    reformed = classifier(pooled.reconstruct(images)).argmax(dim=1)
    assert torch.equal(defended.predict(images)[accepted], reformed[accepted])


def test_too_few_clean_images_for_the_rate_are_refused_instead_of_rejecting_all(classifier, clean):
    with pytest.raises(
        InputError, match=r"cannot resolve a false positive rate of 0\.001; pass at least 1000"
    ):
        built("magnet", classifier, clean.first(999))
