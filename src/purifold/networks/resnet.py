"""ResNet-20 for CIFAR-10; `puvae`'s classifier D as well, whose layers are lost.

He et al., 2015, arXiv:1512.03385, section 4.2 (n = 3). Differs: where the shape changes, the shortcut is a
1x1 convolution with batch norm instead of padding with zeros. On a CPU it trains faster than shallower,
wider residual networks.
"""

from typing import final

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from purifold.networks.base import Classifier, Shape

WIDTHS, BLOCKS = (16, 32, 64), 3


@final
class ResNet(Classifier):
    """A convolution, three stages of three residual blocks (16, 32, 64 channels), average pool, logits."""

    name = "resnet"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; any image size."""
        layers: list[nn.Module] = [
            *_convolution(shape[0], WIDTHS[0], kernel=3, stride=1),
            nn.ReLU(inplace=True),
        ]
        before = WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            for block in range(BLOCKS):
                layers.append(Residual(before, width, stride=2 if stage and not block else 1))
                before = width
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


@final
class Residual(nn.Module):
    """Two 3x3 convolutions with batch norm, added to the input."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(before, width, kernel=3, stride=stride),
            nn.ReLU(inplace=True),
            *_convolution(width, width, kernel=3, stride=1),
        )
        same = stride == 1 and before == width
        self.shortcut = nn.Sequential() if same else nn.Sequential(*_convolution(before, width, 1, stride))

    def forward(
        self, maps: Float[Tensor, "batch before rows columns"]
    ) -> Float[Tensor, "batch width lines places"]:
        """Feature maps, smaller by the stride."""
        return F.relu_(self.branch(maps) + self.shortcut(maps))


def _convolution(before: int, width: int, kernel: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, width, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
    ]
