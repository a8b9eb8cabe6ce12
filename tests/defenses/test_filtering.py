"""The filter strip by strip beside torch's convolution of the whole image: values, gradients, memory."""

import pytest
import torch
import torch.nn.functional as F

from purifold.defenses import filtering
from purifold.defenses.filtering import filtered

SIDES = [(4, 9), (3, 3), (13, 5), (28, 28)]
KERNEL = torch.tensor([0.1, 0.2, 0.4, 0.05, 0.25], dtype=torch.float64)  # not symmetric


def photos(sides, count=3):
    return torch.rand(count, 2, *sides, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def direct(images, kernel):
    """One convolution with the product of the two axes' kernels, behind a mirrored margin."""
    reach = len(kernel) // 2
    padded = F.pad(images, [reach] * 4, mode="reflect")
    weights = (kernel[:, None] * kernel).expand(images.shape[1], 1, -1, -1)
    return F.conv2d(padded, weights, groups=images.shape[1])


@pytest.fixture(params=[1, 40, 100, 10**6])
def strip(request, monkeypatch):
    """Values at a time: a row, some rows, some images, all."""
    monkeypatch.setattr(filtering, "STRIP", request.param)


@pytest.mark.usefixtures("strip")
@pytest.mark.parametrize("sides", SIDES)
def test_it_is_the_convolution_of_the_whole_image(sides):
    images = photos(sides)
    torch.testing.assert_close(filtered(images, KERNEL), direct(images, KERNEL), atol=1e-12, rtol=0)


@pytest.mark.usefixtures("strip")
@pytest.mark.parametrize("sides", SIDES)
def test_its_gradient_is_that_of_the_convolution_at_the_border_too(sides):
    images = photos(sides).requires_grad_()
    scores = torch.randn(images.shape, dtype=images.dtype)
    found, expected = (
        torch.autograd.grad((scores * smooth(images, KERNEL)).sum(), images)[0]
        for smooth in (filtered, direct)
    )
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_nothing_is_kept_for_the_gradient():
    kept = []
    images = photos((40, 40)).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda none: none):
        smoothed = filtered(images, KERNEL)
    assert smoothed.requires_grad
    assert kept == []


def test_no_more_than_a_strip_and_its_margins_is_convolved_at_once(monkeypatch):
    seen, convolved = [], filtering._convolved
    monkeypatch.setattr(filtering, "STRIP", 2 * 50 * 8)
    monkeypatch.setattr(
        filtering, "_convolved", lambda part, *rest: seen.append(part.numel()) or convolved(part, *rest)
    )
    images = photos((60, 50)).requires_grad_()
    filtered(images, KERNEL).sum().backward()
    assert max(seen) == 2 * 50 * (8 + 4)
    assert len(seen) == 2 * 3 * 8  # forward and backward, three images, strips of eight rows in sixty


def test_white_images_stay_white_and_none_exceeds_one():
    images = torch.ones(1, 3, 31, 29)
    kernel = torch.full((7,), 1 / 7)
    assert filtered(images, kernel).max() <= 1
    torch.testing.assert_close(filtered(images, kernel), images)


def test_no_images_are_no_images():
    assert filtered(torch.rand(0, 3, 9, 9), KERNEL.float()).shape == (0, 3, 9, 9)
