"""The convolutional networks of MagNet: Meng and Chen, 2017, arXiv:1705.09064, section 5."""

from typing import final

from torch import nn

from purifold.networks.base import Shape
from purifold.types import Images


@final
class MagnetNetwork(nn.Module):
    """3x3 convolutions, each followed by a sigmoid, from images to images of the same size.

    Args:
        shape: (channel, height, width), any size.
        width: Channels between the first and the last convolution: 3 for MNIST, 32 for CIFAR-10.
        pooled: Five convolutions, between them an average pooling to half the size and back (detector I and
            reformer of MNIST); otherwise three (detector II, and CIFAR-10).
    """

    def __init__(self, shape: Shape, *, width: int, pooled: bool) -> None:
        super().__init__()
        channels, height, width_of_image = shape
        inner = _sigmoid(width, width)
        if pooled:
            inner = nn.Sequential(
                nn.AvgPool2d(2, ceil_mode=True),
                inner,
                _sigmoid(width, width),
                nn.Upsample((height, width_of_image)),
                _sigmoid(width, width),
            )
        self.layers = nn.Sequential(_sigmoid(channels, width), inner, _sigmoid(width, channels))

    def forward(self, images: Images) -> Images:
        """Images in [0, 1]."""
        return self.layers(images)


def _sigmoid(channels: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, outputs, 3, padding=1), nn.Sigmoid())
