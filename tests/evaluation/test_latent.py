import math

import pytest
import torch

from purifold.errors import InputError
from purifold.evaluation.latent import active_units, diameter, latent_variance, shift


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


@pytest.mark.parametrize("count", [2, 3, 1024, 2500])
def test_the_diameter_is_the_largest_of_all_distances(count):
    codes = torch.randn(count, 7, generator=torch.Generator().manual_seed(count))
    assert diameter(codes) == pytest.approx(
        float(torch.cdist(codes.double(), codes.double()).max()), rel=1e-12
    )


def test_the_diameter_is_found_between_the_first_and_the_last_block_and_far_from_the_origin():
    codes = torch.zeros(3000, 2)
    codes[0, 0], codes[-1, 1] = -3.0, 4.0
    assert diameter(codes + 1000) == pytest.approx(5.0, abs=1e-9)


def test_equal_codes_have_no_diameter_and_one_code_is_refused():
    assert diameter(torch.full((5, 3), 0.1)) == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(InputError, match="at least 2 codes"):
        diameter(torch.zeros(1, 3))


def test_shift_is_the_cosine_and_the_ratio_of_lengths():
    clean = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0], [0.0, 0.0], [0.0, 0.0]])
    attacked = torch.tensor([[0.0, 5.0], [0.0, -1.0], [6.0, 8.0], [0.0, 0.0], [1.0, 0.0]])
    cosine, ratio = shift(clean, attacked)
    assert cosine[:3].tolist() == pytest.approx([0.0, -1.0, 1.0])
    assert ratio.tolist() == pytest.approx([5.0, 0.5, 2.0, 1.0, math.inf])
