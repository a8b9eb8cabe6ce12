"""The class-conditional pair of `puvae` (table 1): a dilated encoder and a decoder that both read a label.

The paper does not say how the label enters. In `PuvaeEncoder` it joins in at the first dense layer by a
weight of its own, dense(h, y) = W h + V y + b, so that `features` (convolutions and W h + b) runs once for
all classes of an image and only `head` once a class. In `PlanesEncoder` it enters with the image, and all
runs once a class. Padding keeps the image's size: without it the third dilated convolution has no room on
28x28.
"""

from abc import ABC, abstractmethod
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from purifold.networks.base import Shape
from purifold.networks.doubling import Doubling
from purifold.types import Images, Labels, Latent

CHANNELS, HIDDEN = 32, 1024


class ConditionalEncoder(nn.Module, ABC):
    """What is known of an image under a label, in two parts: what all labels share, and the rest.

    Args:
        shape: (channel, height, width) of the images.
        classes: How many labels there are.
        latent: Latent size.
    """

    def __init__(self, shape: Shape, classes: int, latent: int) -> None:
        super().__init__()
        self.shape, self.classes, self.latent = shape, classes, latent

    @abstractmethod
    def features(self, images: Images) -> Tensor:
        """What all labels share, (batch, ...)."""

    @abstractmethod
    def head(self, features: Tensor, labels: Labels) -> tuple[Latent, Latent]:
        """Mean and standard deviation of the latent under each image's label."""

    def forward(self, images: Images, labels: Labels) -> tuple[Latent, Latent]:
        """Mean and standard deviation of the latent under each image's label."""
        return self.head(self.features(images), labels)


@final
class PuvaeEncoder(ConditionalEncoder):
    """Three dilated 7x7 convolutions, dense 1024 twice, dense to mean and standard deviation.

    Args:
        shape: (channel, height, width) of the images.
        classes: How many labels there are.
        latent: Latent size; the paper's is 32.
    """

    def __init__(self, shape: Shape, classes: int, latent: int) -> None:
        super().__init__(shape, classes, latent)
        channels, height, width = shape
        self.convolutions = nn.Sequential(
            *_dilated(channels), *_dilated(CHANNELS), *_dilated(CHANNELS), nn.Flatten()
        )
        self.of_image = nn.Linear(CHANNELS * height * width, HIDDEN)
        self.of_label = nn.Linear(classes, HIDDEN, bias=False)
        self.rest = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, 2 * latent),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, images: Images) -> Float[Tensor, "batch hidden"]:
        """The image's share of the first dense layer, the same for every label."""
        return self.of_image(self.convolutions(images))

    def head(self, features: Float[Tensor, "batch hidden"], labels: Labels) -> tuple[Latent, Latent]:
        """Mean and standard deviation of the latent under each image's label."""
        hidden = features + self.of_label(_one_hot(labels, self.classes, features))
        mean, spread = self.rest(hidden).chunk(2, dim=1)
        return mean, F.softplus(spread)


@final
class PlanesEncoder(ConditionalEncoder):
    """The same layers, the label as one more plane a class beside the image's channels; shares nothing.

    Args:
        shape: (channel, height, width) of the images.
        classes: How many labels there are.
        latent: Latent size.
    """

    def __init__(self, shape: Shape, classes: int, latent: int) -> None:
        super().__init__(shape, classes, latent)
        channels, height, width = shape
        self.layers = nn.Sequential(
            *_dilated(channels + classes),
            *_dilated(CHANNELS),
            *_dilated(CHANNELS),
            nn.Flatten(),
            nn.Linear(CHANNELS * height * width, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, 2 * latent),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, images: Images) -> Images:
        """The images."""
        return images

    def head(self, features: Images, labels: Labels) -> tuple[Latent, Latent]:
        """Mean and standard deviation of the latent under each image's label."""
        planes = _one_hot(labels, self.classes, features)[:, :, None, None].expand(
            -1, -1, *features.shape[2:]
        )
        mean, spread = self.layers(torch.cat([features, planes], dim=1)).chunk(2, dim=1)
        return mean, F.softplus(spread)


@final
class PuvaeDecoder(nn.Module):
    """Dense 512 (32 channels of 4x4 for 28 and 32 pixels), three transposed 7x7 convolutions of stride 2.

    Args:
        shape: (channel, height, width) of the images, any size.
        classes: How many labels there are.
        latent: Latent size.
    """

    def __init__(self, shape: Shape, classes: int, latent: int) -> None:
        super().__init__()
        self.shape, self.classes, self.latent = shape, classes, latent
        eighth, quarter, half, whole = ([-(-side // by) for side in shape[1:]] for by in (8, 4, 2, 1))
        units = CHANNELS * eighth[0] * eighth[1]
        self.of_latent = nn.Linear(latent, units)
        self.of_label = nn.Linear(classes, units, bias=False)
        self.deconvolutions = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (CHANNELS, eighth[0], eighth[1])),
            Doubling(_transposed(CHANNELS, quarter)),
            nn.ReLU(inplace=True),
            _transposed(CHANNELS, half),
            nn.ReLU(inplace=True),
            Doubling(_transposed(shape[0], whole)),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, latent: Latent, labels: Labels) -> Images:
        """Images before the sigmoid."""
        hidden = self.of_latent(latent) + self.of_label(_one_hot(labels, self.classes, latent))
        return self.deconvolutions(hidden)

    def forward(self, latent: Latent, labels: Labels) -> Images:
        """Images in [0, 1]."""
        return torch.sigmoid(self.logits(latent, labels))


def _one_hot(labels: Labels, classes: int, like: Tensor) -> Tensor:
    return F.one_hot(labels.long(), classes).to(like.dtype)


def _dilated(channels: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, CHANNELS, 7, padding=6, dilation=2), nn.ReLU(inplace=True)]


def _transposed(channels: int, size: list[int]) -> nn.ConvTranspose2d:
    """To exactly `size`."""
    odd = (1 - size[0] % 2, 1 - size[1] % 2)
    return nn.ConvTranspose2d(CHANNELS, channels, 7, stride=2, padding=3, output_padding=odd)
