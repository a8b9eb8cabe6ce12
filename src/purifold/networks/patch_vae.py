"""The autoencoders of `patch-vae` (tables 2 and 3): MNIST, CIFAR-10, patches of 16, 32 and 64 pixels.

Decoders mirror their encoders: where a convolution was followed by a max-pool, the transposed convolution
stands behind an up-sampling, and both are computed as one. A max-pool stands before its ReLU, which gives the
same values for a quarter of the work. Differs, where the tables are silent: 3x3 kernels, ReLU,
nearest-neighbour up-sampling. For 64x64 patches the table prints sizes of 32x32, before and after the pool: a
misprint.
"""

from typing import final

from torch import nn

from purifold.networks.base import Decoder, Encoder, Shape, wrong_size
from purifold.networks.upsampled import UpsampledConv

MNIST, SMALL, LARGE = (16, 8), (64, 32, 16), (128, 64, 32)
"""Channels after each convolution of an encoder."""


@final
class PatchVaeMnistEncoder(Encoder):
    """Convolution 16 + pool, convolution 8 + pool, dense."""

    name = "patch-vae-mnist"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; sides divisible by 4."""
        return _encoder(_divisible("patch-vae-mnist", shape, 4), outputs, MNIST, pools=2)


@final
class PatchVaeMnistDecoder(Decoder):
    """Mirror of the encoder."""

    name = "patch-vae-mnist"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; sides divisible by 4."""
        return _decoder(_divisible("patch-vae-mnist", shape, 4), latent, MNIST, pools=2)


@final
class PatchVaeCifarEncoder(Encoder):
    """Convolution 64 + pool, convolution 32, convolution 16, dense."""

    name = "patch-vae-cifar"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; sides divisible by 2."""
        return _encoder(_divisible("patch-vae-cifar", shape, 2), outputs, SMALL, pools=1)


@final
class PatchVaeCifarDecoder(Decoder):
    """Mirror of the encoder."""

    name = "patch-vae-cifar"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; sides divisible by 2."""
        return _decoder(_divisible("patch-vae-cifar", shape, 2), latent, SMALL, pools=1)


@final
class PatchVae16Encoder(Encoder):
    """Convolution 64 + pool, convolution 32, convolution 16, dense."""

    name = "patch-vae-16"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; 16x16 only."""
        return _encoder(_square("patch-vae-16", shape, 16), outputs, SMALL, pools=1)


@final
class PatchVae16Decoder(Decoder):
    """Mirror of the encoder."""

    name = "patch-vae-16"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; 16x16 only."""
        return _decoder(_square("patch-vae-16", shape, 16), latent, SMALL, pools=1)


@final
class PatchVae32Encoder(Encoder):
    """Convolution 64 + pool, convolution 32, convolution 16, dense."""

    name = "patch-vae-32"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; 32x32 only."""
        return _encoder(_square("patch-vae-32", shape, 32), outputs, SMALL, pools=1)


@final
class PatchVae32Decoder(Decoder):
    """Mirror of the encoder."""

    name = "patch-vae-32"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; 32x32 only."""
        return _decoder(_square("patch-vae-32", shape, 32), latent, SMALL, pools=1)


@final
class PatchVae64Encoder(Encoder):
    """Convolution 128 + pool, convolution 64, convolution 32, dense."""

    name = "patch-vae-64"

    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; 64x64 only."""
        return _encoder(_square("patch-vae-64", shape, 64), outputs, LARGE, pools=1)


@final
class PatchVae64Decoder(Decoder):
    """Mirror of the encoder."""

    name = "patch-vae-64"

    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; 64x64 only."""
        return _decoder(_square("patch-vae-64", shape, 64), latent, LARGE, pools=1)


def _encoder(shape: Shape, outputs: int, widths: tuple[int, ...], pools: int) -> nn.Module:
    """A convolution to each of `widths`, the first `pools` of them pooled; then a dense layer."""
    channels, height, width = shape
    layers: list[nn.Module] = []
    for place, (before, after) in enumerate(zip((channels, *widths), widths, strict=False)):
        layers.append(nn.Conv2d(before, after, 3, padding=1))
        if place < pools:
            layers.append(nn.MaxPool2d(2))
        layers.append(nn.ReLU(inplace=True))
    features = widths[-1] * (height >> pools) * (width >> pools)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, outputs))


def _decoder(shape: Shape, latent: int, widths: tuple[int, ...], pools: int) -> nn.Module:
    """The layers of `_encoder` backwards."""
    channels, height, width = shape
    core = (widths[-1], height >> pools, width >> pools)
    layers: list[nn.Module] = [nn.Linear(latent, core[0] * core[1] * core[2]), nn.ReLU(inplace=True)]
    layers.append(nn.Unflatten(1, core))
    for place in reversed(range(len(widths))):
        before, after = widths[place], (channels, *widths)[place]
        if place < pools:
            layers.append(UpsampledConv(before, after))
        else:
            layers.append(nn.ConvTranspose2d(before, after, 3, padding=1))
        if place:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def _divisible(network: str, shape: Shape, by: int) -> Shape:
    if shape[1] % by or shape[2] % by:
        raise wrong_size(network, shape, f"sides divisible by {by}")
    return shape


def _square(network: str, shape: Shape, side: int) -> Shape:
    if shape[1:] != (side, side):
        raise wrong_size(network, shape, f"{side}x{side} pixels")
    return shape
