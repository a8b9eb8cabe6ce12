import pytest
import torch

from purifold.errors import InputError
from purifold.evaluation.latent import active_units, latent_variance


@pytest.fixture
def images():
    return torch.rand(37, 1, 2, 2, generator=torch.Generator().manual_seed(0)) + 100 / 256


def encode(images):
    pixels = images.flatten(1)
    return torch.stack([pixels[:, 0], 0.1 * pixels[:, 1], 1000 + pixels[:, 2], 0 * pixels[:, 3]], dim=1)


@pytest.mark.parametrize("size", [1, 5, 37])
def test_variance_does_not_depend_on_the_batches(images, size):
    expected = encode(images).double().var(dim=0)
    assert torch.allclose(latent_variance(encode, images.split(size)), expected, rtol=1e-9, atol=1e-15)


def test_units_that_vary_by_more_than_the_threshold_are_active(images):
    # variances about 1/12, 1/1200, 1/12 and 0
    assert active_units(encode, images.split(10)) == 2
    assert active_units(encode, images.split(10), threshold=1e-4) == 3


def test_one_image_has_no_variance(images):
    with pytest.raises(InputError, match="at least 2 images"):
        latent_variance(encode, [images[:1]])
