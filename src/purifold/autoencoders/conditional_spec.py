"""What a class-conditional autoencoder is built from: hashed, and kept beside its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, final

from purifold.autoencoders.conditional import ConditionalAutoencoder, Reduction, check_weights
from purifold.errors import InputError, unknown
from purifold.networks.base import Shape
from purifold.networks.puvae import ConditionalEncoder, PlanesEncoder, PuvaeDecoder, PuvaeEncoder
from purifold.options import later

Entrance: TypeAlias = Literal["dense", "planes"]
ENCODERS: Mapping[Entrance, type[ConditionalEncoder]] = {"dense": PuvaeEncoder, "planes": PlanesEncoder}
OF_NETWORKS = ("source", "latent", "label")
"""What the loss does not take."""


@final
@dataclass(frozen=True, kw_only=True)
class ConditionalSpec:
    """Description of a class-conditional autoencoder but for the image shape and the classes.

    The weights are the paper's, of sums over pixels and units; figure 4 of `puvae` shows other readings.

    Args:
        source: Network of the source classifier that training looks through, not the one protected.
        latent: Latent units.
        rc_weight: As in `ConditionalAutoencoder`, like the four that follow.
        kl_weight: Of the divergence.
        ce_weight: Of the source classifier's cross-entropy.
        pixels: "sum" or "mean".
        units: "sum" or "mean".
        label: Where the label enters the encoder: at the "dense" layer, or as "planes" beside the image.
    """

    source: str = "small-cnn"
    latent: int = 32
    rc_weight: float = 0.01
    kl_weight: float = 0.1
    ce_weight: float = 10.0
    pixels: Reduction = "sum"
    units: Reduction = "sum"
    label: Entrance = later("dense")  # noqa: RUF009

    def __post_init__(self) -> None:
        check_weights(self.rc_weight, self.kl_weight, self.ce_weight, self.pixels, self.units)
        if self.latent < 1:
            raise InputError(f"latent must be 1 or above, got {self.latent}")
        if self.label not in ENCODERS:
            raise unknown("label", self.label, ENCODERS)

    def build(self, shape: Shape, classes: int) -> ConditionalAutoencoder:
        """The autoencoder for images of `shape`, its weights drawn from torch's generator."""
        settings = {name: value for name, value in asdict(self).items() if name not in OF_NETWORKS}
        return ConditionalAutoencoder(
            ENCODERS[self.label](shape, classes, self.latent),
            PuvaeDecoder(shape, classes, self.latent),
            **settings,
        )
