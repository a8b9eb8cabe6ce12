"""Reconstruction: what a trained autoencoder makes of an image, given to the classifier in its place.

Gu and Rigazio, 2014, arXiv:1412.5068; Meng and Chen, 2017, arXiv:1705.09064, section 4.3 ("reformer").
This file is shared by its siblings: every defense that reconstructs builds on it.
"""

import math
from functools import partial
from typing import ClassVar, final

import torch
from torch import Tensor

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.plain import PlainAutoencoder
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.autoencoders.variational import VariationalAutoencoder
from purifold.defenses.base import Defended, Purifier
from purifold.defenses.recipe import Parts, Recipe
from purifold.errors import InputError
from purifold.types import Images

LARGEST_SCALE = 10.0
NOISE = 0.3
"""Standard deviation of the noise that denoising autoencoders are trained on: `ae-robustness` finds more
noise more robust, up to 0.4 where clean accuracy begins to fall."""
CONTRACTION = 0.1
"""Weight of the contractive penalty; ten times as much leaves a digit little but the mean of all digits."""
EXAMPLE = "ae-robustness"


@final
class Reconstruction(Purifier):
    """Encodes and decodes each image.

    Args:
        autoencoder: Trained.
        latent_scale: Standard deviations of the posterior by which the code is drawn off its mean, 0 to 10;
            0 is the mean alone. A plain autoencoder takes no other.
        clip: Largest size of the standard normal draw, before it is scaled.
    """

    name: ClassVar[str] = "reconstruction"
    differentiable = True

    def __init__(
        self, autoencoder: Autoencoder, *, latent_scale: float = 0.0, clip: float = math.inf
    ) -> None:
        super().__init__()
        if not 0 <= latent_scale <= LARGEST_SCALE:
            raise InputError(f"latent_scale must lie in [0, {LARGEST_SCALE:g}], got {latent_scale}")
        if not clip > 0:
            raise InputError(f"clip must be above 0, got {clip}")
        if latent_scale > 0 and isinstance(autoencoder, PlainAutoencoder):
            raise InputError(
                f"latent_scale must be 0 for a plain autoencoder, which has no posterior to draw from; "
                f"got {latent_scale}"
            )
        self.autoencoder = autoencoder
        self.latent_scale = latent_scale
        self.clip = clip
        self.stochastic = latent_scale > 0

    def forward(self, images: Images) -> Images:
        """The reconstructions, from sampled codes where `latent_scale` is above 0."""
        return self.autoencoder.reconstruct(images, latent_scale=self.latent_scale, clip=self.clip)

    def settled(self, images: Images) -> Tensor:
        """The posteriors, means before log-variances, where codes are drawn from them."""
        if not isinstance(self.autoencoder, VariationalAutoencoder) or not self.stochastic:
            return images
        return torch.stack(self.autoencoder.posterior(images), dim=1)

    def drawn(self, settled: Tensor) -> Images:
        """Decoded draws."""
        if not isinstance(self.autoencoder, VariationalAutoencoder) or not self.stochastic:
            return self.forward(settled)
        mean, log_variance = settled.unbind(dim=1)
        return self.autoencoder.sampled(mean, log_variance, self.latent_scale, self.clip)

    def surrogate(self, images: Images) -> Images:
        """The reconstructions from the posteriors' means."""
        return self.autoencoder.reconstruct(images)

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"latent_scale={self.latent_scale:g}, clip={self.clip:g}"

    @classmethod
    def example(cls, channels: int, size: int) -> "Reconstruction":
        """An untrained variational autoencoder, sampled."""
        return cls(_VARIATIONAL(network=EXAMPLE, latent=4).build((channels, size, size)), latent_scale=1.0)


def _plain(parts: Parts) -> Defended:
    (autoencoder,) = parts.autoencoders
    return Defended(parts.classifier, Reconstruction(autoencoder))


def _variational(parts: Parts, *, latent_scale: float = 1.0, clip: float = math.inf) -> Defended:
    (autoencoder,) = parts.autoencoders
    return Defended(parts.classifier, Reconstruction(autoencoder, latent_scale=latent_scale, clip=clip))


_PLAIN = partial(AutoencoderSpec, kind="plain")
_VARIATIONAL = partial(AutoencoderSpec, kind="variational")

ae = Recipe(name="ae", summary="plain autoencoder", assemble=_plain, autoencoders=(_PLAIN,))
dae = Recipe(
    name="dae",
    summary=f"denoising autoencoder, noise of standard deviation {NOISE:g}",
    assemble=_plain,
    autoencoders=(partial(_PLAIN, denoising=True, noise_std=NOISE),),
)
cae = Recipe(
    name="cae",
    summary=f"contractive autoencoder, penalty weight {CONTRACTION:g}",
    assemble=_plain,
    autoencoders=(partial(_PLAIN, contractive_weight=CONTRACTION),),
)
vae = Recipe(
    name="vae",
    summary="variational autoencoder, sampled at scale 1",
    assemble=_variational,
    autoencoders=(_VARIATIONAL,),
    sampling="latent_scale",
)
dvae = Recipe(
    name="dvae",
    summary=f"denoising variational autoencoder, noise of standard deviation {NOISE:g}, sampled at scale 1",
    assemble=_variational,
    autoencoders=(partial(_VARIATIONAL, denoising=True, noise_std=NOISE),),
    sampling="latent_scale",
)
cvae = Recipe(
    name="cvae",
    summary=f"contractive variational autoencoder, penalty weight {CONTRACTION:g}, sampled at scale 1",
    assemble=_variational,
    autoencoders=(partial(_VARIATIONAL, contractive_weight=CONTRACTION),),
    sampling="latent_scale",
)
