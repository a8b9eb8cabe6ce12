"""What a Gaussian-mixture VAE is built from: hashed, and kept beside its weights."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, cast, final

from torch import Tensor

from purifold.autoencoders.mixture import Entropy, MixtureAutoencoder, check_mixture, on_axis, one_hot
from purifold.errors import InputError, unknown
from purifold.networks.base import Shape, autoencoder_names, build_decoder, build_encoder
from purifold.options import Option, chosen, settings

Means: TypeAlias = Literal["one-hot", "axis"]
MEANS: Mapping[Means, Callable[[int, int], Tensor]] = {"one-hot": one_hot, "axis": on_axis}
NAME = "gm-vae"


@final
@dataclass(frozen=True, kw_only=True)
class MixtureSpec:
    """Description of a Gaussian-mixture VAE but for the image shape and the classes.

    Args:
        networks: Of encoder and decoder.
        units: Latent units; 0: one a class.
        means: "one-hot", or all on one "axis".
        variance: As in `MixtureAutoencoder`.
        prior_weight: The paper's alpha for each number of an image: it stands against a squared error that
            is summed over them, so that one value serves images of any size.
        entropy: "constant" or "variable".
        labelled: Images of each class whose label training sees; 0: all.
    """

    networks: str = NAME
    units: int = 0
    means: Means = "one-hot"
    variance: float = 1 / 3000
    prior_weight: float = 0.15
    entropy: Entropy = "constant"
    labelled: int = 0

    def __post_init__(self) -> None:
        if self.networks not in autoencoder_names():
            raise unknown("autoencoder network", self.networks, autoencoder_names())
        if self.means not in MEANS:
            raise unknown("means", self.means, MEANS)
        for name in ("units", "labelled"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must be 0 or above, got {getattr(self, name)}")
        check_mixture(self.variance, self.prior_weight, self.entropy)

    def __str__(self) -> str:
        """The text that `mixture` reads back."""
        own = [f"{name}={value}" for name, value in self._chosen().items()]
        return f"{NAME}:{','.join(own)}" if own else NAME

    def build(self, shape: Shape, classes: int, warm_up: int = 0) -> MixtureAutoencoder:
        """The autoencoder for images of `shape`, its weights drawn from torch's generator.

        Args:
            shape: (channel, height, width).
            classes: How many.
            warm_up: As in `MixtureAutoencoder`.
        """
        latent = self.units or classes
        outputs = latent * (2 if self.entropy == "variable" else 1)
        return MixtureAutoencoder(
            build_encoder(self.networks, shape, outputs),
            build_decoder(self.networks, shape, latent),
            MEANS[self.means](classes, latent),
            variance=self.variance,
            prior_weight=self.prior_weight * math.prod(shape),
            entropy=self.entropy,
            warm_up=warm_up,
        )

    def _chosen(self) -> dict[str, str | int | float]:
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }


def mixture_options() -> dict[str, Option]:
    """What can be set on a Gaussian-mixture VAE, by name."""
    return {
        field.name: Option(field.name, field.type, cast(Any, field.default)) for field in fields(MixtureSpec)
    }


def mixture(text: str) -> MixtureSpec | None:
    """The description that `text` names, "gm-vae" or "gm-vae:labelled=100"; None where it names another."""
    name, given = settings(text)
    if name != NAME:
        return None
    return MixtureSpec(**chosen(f"classifier {NAME}", given, mixture_options()))
