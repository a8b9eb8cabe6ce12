"""Autoencoders whose latent is a point: AE, DAE, CAE."""

import math
from typing import final

from torch import Tensor

from purifold.autoencoders.base import Autoencoder
from purifold.errors import InputError
from purifold.types import Images, Latent, Scores


@final
class PlainAutoencoder(Autoencoder):
    """An autoencoder without sampling.

    Denoising (Vincent et al., 2008) with `noise_std` and `denoising`, contractive (Rifai et al., 2011) with
    `contractive_weight`. Arguments as in `Autoencoder`.
    """

    outputs_per_unit = 1

    def encode(self, images: Images) -> Latent:
        """The code of each image."""
        return self.encoder(images)

    def reconstruct(self, images: Images, latent_scale: float = 0.0, clip: float = math.inf) -> Images:
        """Decoded codes; refuses to sample, for there is no posterior."""
        if latent_scale != 0 or clip != math.inf:
            raise InputError(
                "latent_scale and clip need a posterior to sample from, and a plain autoencoder has none: "
                f"got {latent_scale} and {clip}; use a variational autoencoder or leave them out"
            )
        return self.decode(self.encode(images))

    def draw(self, outputs: Tensor) -> tuple[Latent, dict[str, Scores]]:
        """The codes as they are, without a penalty of their own."""
        return outputs, {}
