"""The classifiers of `puvae`: A and B for MNIST and FashionMNIST, C for CIFAR-10; D is `resnet`.

The paper leaves their layers to a supplement that is lost. A and B: Defense-GAN's (Samangouei et al., 2018,
arXiv:1805.06605, appendix), which the paper builds on, trained with Adam as its code does. C: a plain network
of our own.
"""

from typing import final

from torch import nn

from purifold.networks.base import Classifier, Shape, wrong_size


@final
class PuvaeA(Classifier):
    """Convolution 64 5x5, 64 5x5 stride 2, dropout 0.25, dense 128, dropout 0.5, logits."""

    name = "puvae-a"
    adam = True

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; sides of 5 or above."""
        channels, height, width = shape
        if min(height, width) < 5:  # noqa: PLR2004
            raise wrong_size("puvae-a", shape, "sides of 5 or above")
        return nn.Sequential(
            nn.Conv2d(channels, 64, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 64, 5, stride=2),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Dropout(0.25),
            nn.Linear(64 * _strided(height, 5) * _strided(width, 5), 128),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )


@final
class PuvaeB(Classifier):
    """Dropout 0.2, convolution 64 8x8 stride 2, 128 6x6 stride 2, 128 5x5, dropout 0.5, logits."""

    name = "puvae-b"
    adam = True

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; sides of 28 or above."""
        channels, height, width = shape
        if min(height, width) < 28:  # noqa: PLR2004
            raise wrong_size("puvae-b", shape, "sides of 28 or above")
        rows, columns = (_strided(_strided(side + 6, 8), 6) - 4 for side in (height, width))
        return nn.Sequential(
            nn.Dropout(0.2),
            nn.Conv2d(channels, 64, 8, stride=2, padding=3),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 128, 6, stride=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(128, 128, 5),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(128 * rows * columns, classes),
        )


@final
class PuvaeC(Classifier):
    """Three times two 3x3 convolutions, pool, dropout 0.25 (32, 64, 128 channels); dense 256, dropout 0.5."""

    name = "puvae-c"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; sides of 8 or above."""
        channels, height, width = shape
        if min(height, width) < 8:  # noqa: PLR2004
            raise wrong_size("puvae-c", shape, "sides of 8 or above")
        return nn.Sequential(
            *_stage(channels, 32),
            *_stage(32, 64),
            *_stage(64, 128),
            nn.Flatten(),
            nn.Linear(128 * (height // 8) * (width // 8), 256),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(256, classes),
        )


def _stage(channels: int, width: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Dropout(0.25),
    ]


def _strided(side: int, kernel: int) -> int:
    """`side` after an unpadded convolution of stride 2."""
    return (side - kernel) // 2 + 1
