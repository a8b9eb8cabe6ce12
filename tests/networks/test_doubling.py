"""`Doubling` against torch's own transposed convolution: values, gradients, odd sizes."""

import pytest
import torch
import torch.nn.functional as F

from purifold.networks.doubling import Doubling
from purifold.randomness import seeded


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (14, 14), (3, 5)])
@pytest.mark.parametrize("odd", [(0, 0), (1, 0), (1, 1)])
def test_it_is_a_transposed_convolution(rows, columns, odd):
    size = (2 * rows - odd[0], 2 * columns - odd[1])
    with seeded(0):
        layer = Doubling(3, 2, size).double()
        maps = torch.randn(2, 3, rows, columns, dtype=torch.float64, requires_grad=True)
        weights = torch.randn(2, 2, *size, dtype=torch.float64)
    wanted = F.conv_transpose2d(
        maps,
        layer.transposed.weight,
        layer.transposed.bias,
        stride=2,
        padding=3,
        output_padding=(1 - odd[0], 1 - odd[1]),
    )
    found = layer(maps)
    torch.testing.assert_close(found, wanted)
    inputs = (maps, layer.transposed.weight, layer.transposed.bias)
    for ours, theirs in zip(
        torch.autograd.grad((found * weights).sum(), inputs),
        torch.autograd.grad((wanted * weights).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
