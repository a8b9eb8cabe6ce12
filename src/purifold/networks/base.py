"""What every network is: layers for one image shape. Builders find networks by name.

All weights are laid out channels-last: on the CPU, pooling and convolutions of few channels are 1.2 to
2 times faster so, at inference, for input gradients and in training. Values and shapes are unaffected.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from purifold import discovery
from purifold.errors import InputError, unknown
from purifold.networks.normalize import Normalize
from purifold.types import Images, Latent, Logits

Shape: TypeAlias = tuple[int, int, int]
"""(channel, height, width) of an image."""


class Classifier(nn.Module, ABC):
    """Maps images in [0, 1] to logits.

    Args:
        shape: (channel, height, width) of the images.
        classes: Logits an image.
        mean: Per-channel mean that the first layer takes off, with `std`; without both there is none.
        std: Per-channel standard deviation that the first layer divides by.
    """

    name: ClassVar[str]
    adam: ClassVar[bool] = False
    """Whether studies train it with Adam at a constant rate, as its paper does, instead of SGD."""

    def __init__(
        self,
        shape: Shape,
        classes: int,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        _check_shape(shape)
        _check_count("classes", classes)
        self.shape, self.classes = shape, classes
        self.normalize = _first_layer(shape[0], mean, std)
        self.layers = self.design(shape, classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @staticmethod
    @abstractmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; raises `InputError` for a size that they cannot take."""

    def forward(self, images: Images) -> Logits:
        """Logits."""
        _check_batch(images, self.shape)
        return self.layers(self.normalize(images))


class Encoder(nn.Module, ABC):
    """Maps images to numbers: the first half of an autoencoder.

    Args:
        shape: (channel, height, width) of the images.
        outputs: Numbers an image: the latent size, or twice that where log-variances follow the means.
    """

    name: ClassVar[str]

    def __init__(self, shape: Shape, outputs: int) -> None:
        super().__init__()
        _check_shape(shape)
        _check_count("outputs", outputs)
        self.shape, self.outputs = shape, outputs
        self.layers = self.design(shape, outputs)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @staticmethod
    @abstractmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        """The layers; raises `InputError` for a size that they cannot take."""

    def forward(self, images: Images) -> Float[Tensor, "batch outputs"]:
        """The numbers of each image, not squashed."""
        _check_batch(images, self.shape)
        return self.layers(images)


class Decoder(nn.Module, ABC):
    """Maps latents to images in [0, 1]: the second half of the autoencoder whose encoder has the same name.

    Args:
        shape: (channel, height, width) of the images.
        latent: Latent size.
    """

    name: ClassVar[str]

    def __init__(self, shape: Shape, latent: int) -> None:
        super().__init__()
        _check_shape(shape)
        _check_count("latent", latent)
        self.shape, self.latent = shape, latent
        self.layers = self.design(shape, latent)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @staticmethod
    @abstractmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        """The layers before the sigmoid; raises `InputError` for a size that they cannot give."""

    @final
    def logits(self, latent: Latent) -> Images:
        """Images before the sigmoid, so that a cross-entropy is computed without overflow."""
        return self.layers(latent)

    def forward(self, latent: Latent) -> Images:
        """Images in [0, 1]."""
        return torch.sigmoid(self.logits(latent))


def classifier_names() -> list[str]:
    """Names that `build_classifier` knows."""
    return sorted(discovery.classes(Classifier))  # type: ignore[type-abstract]


def trained_with_adam(name: str) -> bool:
    """Whether studies train the classifier of this name with Adam; refuses names that are not."""
    return _classifier(name).adam


def autoencoder_names() -> list[str]:
    """Names that `build_encoder` and `build_decoder` know."""
    return sorted(discovery.classes(Encoder))  # type: ignore[type-abstract]


def build_classifier(
    name: str,
    shape: Shape,
    classes: int,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Classifier:
    """An untrained classifier, its weights drawn from torch's generator; arguments as in `Classifier`."""
    return _classifier(name)(shape, classes, mean=mean, std=std)


def build_encoder(name: str, shape: Shape, outputs: int) -> Encoder:
    """An untrained encoder, its weights drawn from torch's generator."""
    found = discovery.classes(Encoder)  # type: ignore[type-abstract]
    if name not in found:
        raise unknown("autoencoder network", name, found)
    return found[name](shape, outputs)


def build_decoder(name: str, shape: Shape, latent: int) -> Decoder:
    """An untrained decoder, its weights drawn from torch's generator."""
    found = discovery.classes(Decoder)  # type: ignore[type-abstract]
    if name not in found:
        raise unknown("autoencoder network", name, found)
    return found[name](shape, latent)


def wrong_size(network: str, shape: Shape, wanted: str) -> InputError:
    """Error for an image size that a network cannot take."""
    return InputError(
        f"{network} takes images with {wanted}, got {shape[1]}x{shape[2]}; resize or choose another network"
    )


def _classifier(name: str) -> type[Classifier]:
    found = discovery.classes(Classifier)  # type: ignore[type-abstract]
    if name not in found:
        raise unknown("classifier", name, found)
    return found[name]


def _first_layer(channels: int, mean: Sequence[float] | None, std: Sequence[float] | None) -> nn.Module:
    if mean is None and std is None:
        return nn.Identity()
    if mean is None or std is None:
        raise InputError("mean and std go together, got only one; pass both or neither")
    if len(mean) != channels:
        raise InputError(f"mean must have {channels} entries, one a channel, got {len(mean)}")
    return Normalize(mean, std)


def _check_shape(shape: Shape) -> None:
    if len(shape) != 3 or not all(isinstance(side, int) and side > 0 for side in shape):  # noqa: PLR2004
        raise InputError(f"shape must be (channel, height, width), each 1 or above, got {shape}")


def _check_count(name: str, count: int) -> None:
    if not isinstance(count, int) or count < 1:
        raise InputError(f"{name} must be 1 or above, got {count}")


def _check_batch(images: Images, shape: Shape) -> None:
    if tuple(images.shape[1:]) != tuple(shape):
        raise InputError(
            f"images must have shape (batch, {', '.join(map(str, shape))}), got {tuple(images.shape)}; "
            "the network was built for that shape"
        )
