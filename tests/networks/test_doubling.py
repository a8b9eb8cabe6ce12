"""`Doubling` against torch's own transposed convolution: values, gradients, odd sizes."""

import pytest
import torch
from torch import nn

from purifold.errors import InputError
from purifold.networks.doubling import Doubling, doubled
from purifold.randomness import seeded


@pytest.mark.parametrize("kernel", [5, 7])
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (14, 14), (3, 5)])
@pytest.mark.parametrize("extra", [(1, 1), (0, 1), (0, 0)])
def test_it_is_a_transposed_convolution(kernel, rows, columns, extra):
    with seeded(0):
        wanted = nn.ConvTranspose2d(
            3, 2, kernel, stride=2, padding=kernel // 2, output_padding=extra
        ).double()
        maps = torch.randn(2, 3, rows, columns, dtype=torch.float64, requires_grad=True)
        expected = wanted(maps)
        weights = torch.randn_like(expected)
    found = Doubling(wanted)(maps)
    torch.testing.assert_close(found, expected)
    inputs = (maps, wanted.weight, wanted.bias)
    for ours, theirs in zip(
        torch.autograd.grad((found * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("wrong", [{"kernel_size": 3, "padding": 1}, {"stride": 1}, {"padding": 2}])
def test_others_are_refused(wrong):
    settings = {"kernel_size": 7, "stride": 2, "padding": 3, **wrong}
    with pytest.raises(InputError, match="kernel 5 or 7"):
        Doubling(nn.ConvTranspose2d(2, 2, **settings))


def test_layers_are_doubled_in_their_order():
    with seeded(0):
        layers = nn.Sequential(
            nn.ConvTranspose2d(2, 3, 5, stride=2, padding=2, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(3, 1, 5, stride=2, padding=2),
        )
        maps = torch.randn(2, 2, 3, 3)
    found = doubled(layers)
    assert [type(layer) for layer in found] == [Doubling, nn.ReLU, Doubling]
    torch.testing.assert_close(found(maps), layers(maps))
