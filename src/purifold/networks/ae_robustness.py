"""The networks of `ae-robustness` (section 5): a classifier, and the pair of all its autoencoders.

Differs, where the paper is silent: the widths and the two max-pools of the classifier; strides of 2 in the
autoencoder, which give it a bottleneck; the decoder's last layer goes from the 32 channels to the image's.
"""

from typing import final

from torch import nn

from purifold.networks.base import Classifier, Decoder, Encoder, Shape


@final
class AeRobustnessClassifier(Classifier):
    """Four 3x3 convolutions (32, 32, 64, 64), a max-pool after the first and the third, one dense layer."""

    name = "ae-robustness"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; any image size, odd sides are pooled upwards."""
        channels, height, width = shape
        return nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(64 * _halved(height, 2) * _halved(width, 2), classes),
        )


@final
class AeRobustnessEncoder(Encoder):
    """Two 3x3 convolutions of 32 channels and stride 2, one dense layer."""

    name = "ae-robustness"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; any image size."""
        channels, height, width = shape
        return nn.Sequential(
            nn.Conv2d(channels, 32, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(32 * _halved(height, 2) * _halved(width, 2), outputs),
        )


@final
class AeRobustnessDecoder(Decoder):
    """One dense layer, two transposed 3x3 convolutions of stride 2 out of 32 channels."""

    name = "ae-robustness"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; any image size."""
        channels, height, width = shape
        quarter = (_halved(height, 2), _halved(width, 2))
        half = (_halved(height, 1), _halved(width, 1))
        return nn.Sequential(
            nn.Linear(latent, 32 * quarter[0] * quarter[1]),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (32, *quarter)),
            _doubling(32, half),
            nn.ReLU(inplace=True),
            _doubling(channels, (height, width)),
        )


def _halved(side: int, times: int) -> int:
    """`side` after as many strides of 2, each rounding up."""
    return -(-side // 2**times)


def _doubling(channels: int, size: tuple[int, int]) -> nn.Module:
    """Transposed convolution from 32 channels of half that size, rounded up, to `channels` of that size."""
    extra = tuple(1 - side % 2 for side in size)
    return nn.ConvTranspose2d(32, channels, 3, stride=2, padding=1, output_padding=extra)  # type: ignore[arg-type]
