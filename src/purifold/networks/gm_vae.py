"""The autoencoder of `gm-vae` (section 4): convolution, max-pool, dense; dense, up-sampling, convolution.

The paper names the kinds of layer and ReLU, no numbers. Ours: stages that halve the image until its side
is odd or 4 (28: 14, 7; 32: 16, 8, 4; 128: 64, 32, 16, 8, 4), of two 3x3 convolutions each in the encoder,
because it has to classify (95 % on SVHN), of one in the decoder; dense 256 on both sides of the latent.
A max-pool stands before its ReLU, which gives the same values for a quarter of the work.
"""

from typing import final

from torch import nn

from purifold.networks.base import Decoder, Encoder, Shape, wrong_size
from purifold.networks.upsampled import UpsampledConv

SMALLEST, HIDDEN = 4, 256


@final
class GmVaeEncoder(Encoder):
    """Stages of two convolutions and a max-pool, dense 256, dense."""

    name = "gm-vae"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; even sides of 8 or above that can be halved alike."""
        widths = _widths(shape)
        layers: list[nn.Module] = []
        for before, after in zip((shape[0], *widths), widths, strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
            layers += [nn.Conv2d(after, after, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True)]
        channels, height, width = _core(shape)
        layers += [nn.Flatten(), nn.Linear(channels * height * width, HIDDEN), nn.ReLU(inplace=True)]
        return nn.Sequential(*layers, nn.Linear(HIDDEN, outputs))


@final
class GmVaeDecoder(Decoder):
    """Dense 256, dense, stages of an up-sampling and a convolution, a convolution to the image's channels."""

    name = "gm-vae"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; even sides of 8 or above that can be halved alike."""
        widths = _widths(shape)
        channels, height, width = core = _core(shape)
        layers: list[nn.Module] = [nn.Linear(latent, HIDDEN), nn.ReLU(inplace=True)]
        layers += [nn.Linear(HIDDEN, channels * height * width), nn.ReLU(inplace=True), nn.Unflatten(1, core)]
        for before, after in zip((widths[-1], *widths[::-1]), widths[::-1], strict=False):
            layers += [UpsampledConv(before, after), nn.ReLU(inplace=True)]
        return nn.Sequential(*layers, nn.Conv2d(widths[0], shape[0], 3, padding=1))


def _widths(shape: Shape) -> list[int]:
    """Channels of each stage: they double up to 128, from 32, or from 16 on large images to save time."""
    depth = _halvings(shape)
    first = 32 if depth <= 3 else 16  # noqa: PLR2004
    return [min(128, first << stage) for stage in range(depth)]


def _core(shape: Shape) -> Shape:
    """(channel, height, width) after the last stage."""
    depth = _halvings(shape)
    return _widths(shape)[-1], shape[1] >> depth, shape[2] >> depth


def _halvings(shape: Shape) -> int:
    """How often both sides can be halved without falling below the smallest."""
    height, width, depth = shape[1], shape[2], 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) >= 2 * SMALLEST:
        height, width, depth = height // 2, width // 2, depth + 1
    if depth == 0 or max(height, width) > 4 * SMALLEST:
        raise wrong_size("gm-vae", shape, "even sides that halve to between 4 and 16, such as 28, 32 or 128")
    return depth
