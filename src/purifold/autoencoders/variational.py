"""Autoencoders whose latent is a Gaussian: VAE, beta-VAE, DVAE, CVAE.

Kingma and Welling, 2014, arXiv:1312.6114; `patch-vae` section 3; `ae-robustness` section 2.
"""

import math
from typing import final

import torch
from torch import Tensor

from purifold.autoencoders.base import Autoencoder, ReconstructionLoss
from purifold.errors import InputError
from purifold.networks.base import Decoder, Encoder
from purifold.randomness import normal
from purifold.types import Images, Latent, Scores


@final
class VariationalAutoencoder(Autoencoder):
    """Minimises the negative evidence lower bound, one posterior sample an image, with KL weighted by `beta`.

    The encoder gives means, then log-variances. Differs from `ae-robustness`: there is no penalty on the
    Jacobian of the standard deviations, whose weight the paper sets to 0.

    Args:
        encoder: Two outputs for each latent unit.
        decoder: For the same image shape.
        noise_std: As in `Autoencoder`, like the four that follow.
        denoising: Whether the clean image is the target.
        contractive_weight: Of the norm of the Jacobian of the means.
        projections: Random projections that estimate it.
        reconstruction: "bce" or "squared".
        beta: Weight of the KL divergence to N(0, I); below 1 reconstructions are sharper (`patch-vae`).
        latent_clip: Largest size of the standard normal draws in training; `patch-vae` takes 5.
    """

    outputs_per_unit = 2

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        *,
        noise_std: float = 0.0,
        denoising: bool = False,
        contractive_weight: float = 0.0,
        projections: int = 1,
        reconstruction: ReconstructionLoss = "bce",
        beta: float = 1.0,
        latent_clip: float = math.inf,
    ) -> None:
        super().__init__(
            encoder,
            decoder,
            noise_std=noise_std,
            denoising=denoising,
            contractive_weight=contractive_weight,
            projections=projections,
            reconstruction=reconstruction,
        )
        check_variational(beta, latent_clip)
        self.beta, self.latent_clip = beta, latent_clip

    def posterior(self, images: Images) -> tuple[Latent, Latent]:
        """Means and log-variances."""
        mean, log_variance = self.encoder(images).to(images.dtype).chunk(2, dim=1)
        return mean, log_variance

    def encode(self, images: Images) -> Latent:
        """The posterior means."""
        return self.posterior(images)[0]

    def reconstruct(self, images: Images, latent_scale: float = 0.0, clip: float = math.inf) -> Images:
        """Decoded mean + latent_scale * sigma * epsilon, epsilon standard normal, clipped."""
        if not 0 <= latent_scale < math.inf:
            raise InputError(f"latent_scale must be 0 or above and finite, got {latent_scale}")
        _check_clip("clip", clip)
        mean, log_variance = self.posterior(images)
        return self.sampled(mean, log_variance, latent_scale, clip) if latent_scale else self.decode(mean)

    def sampled(
        self, mean: Latent, log_variance: Latent, scale: float = 1.0, clip: float = math.inf
    ) -> Images:
        """Decoded draws from these posteriors; scale and clip as in `reconstruct`."""
        return self.decode(_sample(mean, log_variance, scale, clip))

    def draw(self, outputs: Tensor) -> tuple[Latent, dict[str, Scores]]:
        """A posterior sample of each image, and its weighted KL divergence."""
        mean, log_variance = outputs.chunk(2, dim=1)
        latent = _sample(mean, log_variance, 1.0, self.latent_clip)
        return latent, {"kl": self.beta * standard_normal_kl(mean, log_variance)}

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"{super().extra_repr()}, beta={self.beta:g}, latent_clip={self.latent_clip:g}"


def standard_normal_kl(mean: Latent, log_variance: Latent) -> Scores:
    """KL(N(mean, diag(exp(log_variance))) || N(0, I)) in nats, summed over the latent units."""
    # exp(v) - 1 would lose every digit of a variance near 1.
    return (mean.square() + torch.expm1(log_variance) - log_variance).sum(dim=1) / 2


def check_variational(beta: float, latent_clip: float) -> None:
    """Refuses values that no variational autoencoder can be trained with."""
    if not 0 <= beta < math.inf:
        raise InputError(f"beta must be 0 or above and finite, got {beta}")
    _check_clip("latent_clip", latent_clip)


def _check_clip(name: str, clip: float) -> None:
    if not clip > 0:
        raise InputError(f"{name} must be above 0, got {clip}; math.inf leaves the draws as they are")


def _sample(mean: Latent, log_variance: Latent, scale: float, clip: float) -> Latent:
    draws = normal(mean.shape, mean)
    if clip < math.inf:
        draws = draws.clamp(-clip, clip)
    return torch.addcmul(mean, torch.exp(log_variance / 2), draws, value=scale)
