"""Inputs that show none of the classes, and how many are accepted."""

import pytest
import torch

from purifold.defenses.base import REJECTED
from purifold.engine.step import Resources
from purifold.engine.steps.unseen import fitted, noise, read_accepted
from purifold.errors import InputError

HERE = Resources()


def test_its_own_images_are_accepted_and_noise_is_not(refusing):
    found, steps, system = refusing
    images = steps["itself"].system.data.part("test", HERE, 50).images()
    itself = read_accepted(found["itself"])
    assert itself.trials == 50
    assert itself.successes == int((system.predict(images) != REJECTED).sum())
    assert read_accepted(found["noise"]).successes == int(
        (system.predict(noise("uniform", 50, (1, 8, 8), 0)) != REJECTED).sum()
    )


def test_other_images_are_refusing_to_fit():
    photos = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    grey = fitted(photos, (1, 8, 8))
    expected = torch.nn.functional.avg_pool2d(photos.mean(dim=1, keepdim=True), 2)
    assert grey.shape == (2, 1, 8, 8)
    assert (grey - expected).abs().mean() < 0.1
    assert torch.equal(fitted(grey, (1, 8, 8)), grey)
    assert fitted(grey, (3, 8, 8)).shape == (2, 3, 8, 8)
    assert 0.2 < float(noise("gaussian", 100, (1, 8, 8), 0).std()) < 0.26
    with pytest.raises(InputError, match="unknown noise 'pink'"):
        noise("pink", 1, (1, 8, 8), 0)
