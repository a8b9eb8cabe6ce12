"""The blur beside SciPy's."""

import pytest
import torch
from scipy.ndimage import gaussian_filter

from purifold.defenses.blur import GaussianBlur
from purifold.errors import InputError


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 1.7, 2.6])
@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (3, 3, 11, 20), (1, 5, 16, 12)])
def test_each_channel_is_what_scipy_makes_of_it(sigma, shape):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # SciPy's "mirror" leaves the edge pixel single, as torch's "reflect" does.
    expected = gaussian_filter(images.numpy(), sigma=(0, 0, sigma, sigma), mode="mirror", truncate=4.0)
    assert torch.allclose(GaussianBlur(sigma=sigma)(images), torch.from_numpy(expected), atol=1e-12, rtol=0)


def test_a_constant_image_stays_as_it_is_and_white_never_exceeds_one():
    for level in (0.0, 0.3, 1.0):
        images = torch.full((2, 3, 20, 20), level)
        for sigma in torch.linspace(0.2, 4, 30).tolist():
            blurred = GaussianBlur(sigma=sigma)(images)
            assert torch.allclose(blurred, images, atol=1e-6, rtol=0)
            assert blurred.max() <= 1


def test_white_images_pass_the_whole_gradient():
    images = torch.ones(1, 1, 20, 20, requires_grad=True)
    for sigma in torch.linspace(0.2, 4, 30).tolist():
        (gradient,) = torch.autograd.grad(GaussianBlur(sigma=sigma)(images).sum(), images)
        assert gradient.sum() == pytest.approx(400, rel=1e-5)


def test_a_kernel_that_reaches_past_the_image_is_refused_with_the_largest_sigma():
    with pytest.raises(InputError, match=r"reaches 8 pixels .* 8 by 9; take a sigma below 1\.875"):
        GaussianBlur(sigma=2.0)(torch.zeros(1, 1, 8, 9))
    assert GaussianBlur(sigma=1.874)(torch.zeros(1, 1, 8, 9)).shape == (1, 1, 8, 9)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("inf"), float("nan")])
def test_a_sigma_that_is_no_width_is_refused(sigma):
    with pytest.raises(InputError, match="sigma must be above 0 and finite"):
        GaussianBlur(sigma=sigma)
