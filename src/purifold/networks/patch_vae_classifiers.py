"""The two classifiers that `patch-vae` (table 1) trains from scratch.

Differs, where the table is silent: ReLU throughout; kernels of 5x5 for MNIST, because its layers, dropout
and optimiser are those of TensorFlow's MNIST tutorial, which has them; 3x3 for CIFAR-10.
A max-pool stands before its ReLU, which gives the same values for a quarter of the work.
"""

from typing import final

from torch import nn

from purifold.networks.base import Classifier, Shape, wrong_size


@final
class PatchVaeMnist(Classifier):
    """Convolution 32 + pool, convolution 64 + pool, dense 1024 + dropout 0.4, logits."""

    name = "patch-vae-mnist"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; sides of 4 or above."""
        channels, height, width = shape
        if min(height, width) < 4:  # noqa: PLR2004
            raise wrong_size("patch-vae-mnist", shape, "sides of 4 or above")
        return nn.Sequential(
            nn.Conv2d(channels, 32, 5, padding=2),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, 5, padding=2),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(64 * (height // 4) * (width // 4), 1024),
            nn.ReLU(inplace=True),
            nn.Dropout(0.4),
            nn.Linear(1024, classes),
        )


@final
class PatchVaeCifar(Classifier):
    """Three times [convolution + batch norm] x 2, pool, dropout: 32, 64, 128 channels, 0.2, 0.3, 0.4."""

    name = "patch-vae-cifar"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; sides of 8 or above."""
        channels, height, width = shape
        if min(height, width) < 8:  # noqa: PLR2004
            raise wrong_size("patch-vae-cifar", shape, "sides of 8 or above")
        return nn.Sequential(
            *_stage(channels, 32, dropout=0.2),
            *_stage(32, 64, dropout=0.3),
            *_stage(64, 128, dropout=0.4),
            nn.Flatten(),
            nn.Linear(128 * (height // 8) * (width // 8), classes),
        )


def _stage(channels: int, width: int, dropout: float) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, width, 3, padding=1, bias=False),  # the batch norm's own shift takes its place
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    ]
