"""What a VAE of patches is built from: hashed, and kept beside its weights."""

from dataclasses import dataclass
from typing import final

from purifold.autoencoders.base import Autoencoder, ReconstructionLoss
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.errors import InputError
from purifold.networks.base import Shape, autoencoder_names

OTHER = "patch-vae-cifar"
"""Networks of patch sizes for which `patch-vae` has none: the layers that it has for 16 and 32."""


@final
@dataclass(frozen=True, kw_only=True)
class PatchSpec:
    """Description of a variational autoencoder of square patches but for their channels.

    Differs: the paper does not print its weight of the divergence, only that it is below 1.

    Args:
        patch: Side of a patch in pixels; `patch-vae` has 16, 32 and 64.
        latent: Latent units; the paper has 512, and 1024 for patches of 64.
        beta: As in `VariationalAutoencoder`, like the two that follow.
        latent_clip: Largest size of the standard normal draws in training.
        reconstruction: "bce" or "squared".
    """

    patch: int = 16
    latent: int = 512
    beta: float = 0.1
    latent_clip: float = 5.0
    reconstruction: ReconstructionLoss = "bce"

    def __post_init__(self) -> None:
        if self.patch < 1:
            raise InputError(f"patch must be 1 or above, got {self.patch}")
        self._spec()

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"{self._spec().label} of {self.patch}x{self.patch} patches"

    def build(self, shape: Shape) -> Autoencoder:
        """The autoencoder for patches of images of `shape`, its weights drawn from torch's generator."""
        return self._spec().build((shape[0], self.patch, self.patch))

    def _spec(self) -> AutoencoderSpec:
        own = f"patch-vae-{self.patch}"
        return AutoencoderSpec(
            kind="variational",
            network=own if own in autoencoder_names() else OTHER,
            latent=self.latent,
            beta=self.beta,
            latent_clip=self.latent_clip,
            reconstruction=self.reconstruction,
        )
