import pytest
import torch
from torch import nn

from purifold.networks.magnet import MagnetNetwork


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 13, 9)])
@pytest.mark.parametrize("pooled", [True, False])
def test_images_of_any_size_come_back_in_it_and_in_the_range(shape, pooled):
    found = MagnetNetwork(shape, width=3, pooled=pooled)(torch.rand(2, *shape))
    assert found.shape == (2, *shape)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize(
    ("pooled", "width", "channels", "sizes"),
    [
        (True, 3, 1, [(1, 3), (3, 3), (3, 3), (3, 3), (3, 1)]),
        (False, 3, 1, [(1, 3), (3, 3), (3, 1)]),
        (False, 32, 3, [(3, 32), (32, 32), (32, 3)]),
    ],
)
def test_the_layers_are_those_of_the_paper(pooled, width, channels, sizes):
    network = MagnetNetwork((channels, 8, 8), width=width, pooled=pooled)
    layers = [layer for layer in network.modules() if not isinstance(layer, nn.Sequential | MagnetNetwork)]
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in convolutions] == sizes
    assert all(layer.kernel_size == (3, 3) for layer in convolutions)
    assert sum(isinstance(layer, nn.Sigmoid) for layer in layers) == len(sizes)
    assert sum(isinstance(layer, nn.AvgPool2d | nn.Upsample) for layer in layers) == 2 * pooled
