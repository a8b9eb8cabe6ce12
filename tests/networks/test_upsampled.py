"""`UpsampledConv` against torch's own up-sampling and convolution: values and gradients."""

import pytest
import torch
from torch import nn

from purifold.networks.upsampled import UpsampledConv
from purifold.randomness import seeded


@pytest.mark.parametrize(("height", "width"), [(4, 4), (7, 5), (1, 3)])
def test_it_is_an_up_sampling_and_a_convolution(height, width):
    with seeded(0):
        ours = UpsampledConv(3, 2).double()
        maps = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
        weights = torch.randn(2, 2, 2 * height, 2 * width, dtype=torch.float64)
    theirs = nn.Sequential(nn.Upsample(scale_factor=2), ours.convolution)
    found, expected = ours(maps), theirs(maps)
    torch.testing.assert_close(found, expected)
    inputs = (maps, ours.convolution.weight, ours.convolution.bias)
    for mine, other in zip(
        torch.autograd.grad((found * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)
