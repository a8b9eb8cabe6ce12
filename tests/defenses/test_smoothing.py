"""The smoothing filter beside SciPy's, and its Gaussian beside OpenCV's published kernel."""

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from purifold.defenses.smoothing import Smoothing
from purifold.errors import InputError


@pytest.mark.parametrize("size", [1, 3, 5, 9])
@pytest.mark.parametrize("sides", [(28, 28), (11, 20)])
def test_the_mean_is_scipy_s(size, sides):
    images = torch.rand(2, 3, *sides, dtype=torch.float64)
    expected = uniform_filter(images.numpy(), size=(1, 1, size, size), mode="mirror")
    found = Smoothing(size=size)(images)
    assert torch.allclose(found, torch.from_numpy(expected), atol=1e-12, rtol=0)


def test_the_gaussian_is_the_kernel_that_opencv_gives_five_pixels():
    kernel = Smoothing(shape="gaussian").kernel(torch.zeros(1, 1, 9, 9, dtype=torch.float64))
    weights = np.exp(-np.array([4, 1, 0, 1, 4]) / (2 * 1.1**2))
    assert np.allclose(kernel.numpy(), weights / weights.sum(), atol=1e-15)


def test_the_filter_commutes_with_the_mean_over_images():
    images = torch.rand(4, 3, 9, 9, dtype=torch.float64)
    smooth = Smoothing()
    both = smooth(images.mean(dim=0, keepdim=True)), smooth(images).mean(dim=0, keepdim=True)
    torch.testing.assert_close(*both, atol=1e-12, rtol=0)


def test_a_kernel_that_reaches_past_the_image_is_refused_with_the_largest_size():
    with pytest.raises(InputError, match=r"reaches 2 pixels .* 2 by 9; take a size of 3 or below"):
        Smoothing()(torch.zeros(1, 1, 2, 9))
    assert Smoothing(size=3)(torch.zeros(1, 1, 2, 9)).shape == (1, 1, 2, 9)


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_size_without_a_middle_is_refused(size):
    with pytest.raises(InputError, match="size must be odd"):
        Smoothing(size=size)
