"""A small network for scikit-learn's 8x8 digits and other small images."""

from typing import final

from torch import nn

from purifold.networks.base import Classifier, Shape, wrong_size


@final
class SmallCnn(Classifier):
    """Two 3x3 convolutions (32, 64), a max-pool, dense 64: above 97 % on the digits after seconds."""

    name = "small-cnn"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; images of 2x2 and above."""
        channels, height, width = shape
        if min(height, width) < 2:  # noqa: PLR2004
            raise wrong_size("small-cnn", shape, "sides of 2 or above")
        return nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(64 * (height // 2) * (width // 2), 64),
            nn.ReLU(inplace=True),
            nn.Linear(64, classes),
        )
