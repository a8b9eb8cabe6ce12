"""What every autoencoder is: an encoder and a decoder, what they reconstruct, and what training minimises."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal, Protocol, TypeAlias, final, get_args, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from purifold.autoencoders.contractive import encode_with_norm
from purifold.errors import InputError, unknown
from purifold.networks.base import Decoder, Encoder, Shape
from purifold.types import Images, Latent, Scores

ReconstructionLoss: TypeAlias = Literal["bce", "squared"]


@runtime_checkable
class Reconstructs(Protocol):
    """Whatever makes images of images."""

    def reconstruct(self, images: Images) -> Images:
        """The reconstructions; a variational autoencoder decodes the mean."""
        ...


class Autoencoder(nn.Module, ABC):
    """Encodes images, decodes latents.

    Losses are sums over the pixels and over the latent units of an image, as in the evidence lower bound:
    neither is averaged, so that weights mean the same at every image size. They are the same in training and
    evaluation mode: noise belongs to the objective. All noise comes from torch's generator.

    Args:
        encoder: Gives as many numbers an image as the latent has units; a variational one twice as many.
        decoder: For the same image shape.
        noise_std: Standard deviation of the Gaussian noise on the encoder's input in the losses. Noisy
            images are clamped to [0, 1]: they remain images. `ae-robustness` does not say whether its own do.
        denoising: Whether the clean image is the target (`ae-robustness`: d1) or the noisy one (d0).
        contractive_weight: Of the squared Frobenius norm of the Jacobian of `encode`, at the encoder's
            (noisy) input.
        projections: Random projections that estimate the norm; see `contractive.squared_norm`.
        reconstruction: "bce", the binary cross-entropy of each pixel; "squared", half the squared distance,
            which is -log N(image; reconstruction, I) but for a constant.
    """

    outputs_per_unit: ClassVar[int]
    """Numbers that the encoder gives for each latent unit."""

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
    ) -> None:
        super().__init__()
        check_objective(noise_std, contractive_weight, projections, reconstruction)
        _check_pair(encoder, decoder, self.outputs_per_unit)
        self.encoder, self.decoder = encoder, decoder
        self.noise_std, self.denoising = noise_std, denoising
        self.contractive_weight, self.projections = contractive_weight, projections
        self.reconstruction: ReconstructionLoss = reconstruction

    @final
    @property
    def shape(self) -> Shape:
        """(channel, height, width) of the images."""
        return self.decoder.shape

    @final
    @property
    def latent_size(self) -> int:
        """Latent units."""
        return self.decoder.latent

    @abstractmethod
    def encode(self, images: Images) -> Latent:
        """The code of each image, without sampling; the posterior's mean where there is one."""

    @final
    def decode(self, latent: Latent) -> Images:
        """Images in [0, 1]."""
        return self.decoder(latent)

    @abstractmethod
    def reconstruct(self, images: Images, latent_scale: float = 0.0, clip: float = math.inf) -> Images:
        """Decoded codes.

        Args:
            images: In [0, 1].
            latent_scale: Posterior standard deviations by which codes are drawn off the mean; 0 draws
                nothing. A plain autoencoder has no posterior and refuses any other.
            clip: Largest size of the standard normal draw before it is scaled.
        """

    def forward(self, images: Images) -> Images:
        """`reconstruct` without sampling."""
        return self.reconstruct(images)

    @final
    def loss(self, images: Images) -> Scores:
        """What training minimises, one an image: the sum of `terms`."""
        return torch.stack(tuple(self.terms(images).values())).sum(dim=0)

    @final
    def terms(self, images: Images) -> dict[str, Scores]:
        """Parts of the loss by name, weighted; `kl` and `contractive` where there are such."""
        corrupted = self._corrupt(images)
        outputs, penalties = self._encode(corrupted)
        latent, own = self.draw(outputs.to(images.dtype))
        target = images if self.denoising else corrupted
        return {"reconstruction": self._distortion(latent, target)} | own | penalties

    @abstractmethod
    def draw(self, outputs: Tensor) -> tuple[Latent, dict[str, Scores]]:
        """The latents that the losses decode, out of the encoder's outputs, and the penalties on them."""

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return (
            f"noise_std={self.noise_std:g}, denoising={self.denoising}, "
            f"contractive_weight={self.contractive_weight:g}, projections={self.projections}, "
            f"reconstruction={self.reconstruction!r}"
        )

    def _corrupt(self, images: Images) -> Images:
        if not self.noise_std:
            return images
        return (images + self.noise_std * torch.randn_like(images)).clamp(0, 1)

    def _encode(self, images: Images) -> tuple[Tensor, dict[str, Scores]]:
        if not self.contractive_weight:
            return self.encoder(images), {}
        outputs, norm = encode_with_norm(self.encoder, images, self.latent_size, self.projections)
        return outputs, {"contractive": self.contractive_weight * norm}

    def _distortion(self, latent: Latent, target: Images) -> Scores:
        logits = self.decoder.logits(latent).to(target.dtype)
        if self.reconstruction == "bce":
            pixels = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        else:
            pixels = (torch.sigmoid(logits) - target).square() / 2
        return pixels.flatten(1).sum(dim=1)


def check_objective(
    noise_std: float, contractive_weight: float, projections: int, reconstruction: str
) -> None:
    """Refuses values that no autoencoder can be trained with."""
    for name, value in (("noise_std", noise_std), ("contractive_weight", contractive_weight)):
        if not 0 <= value < math.inf:
            raise InputError(f"{name} must be 0 or above and finite, got {value}")
    if projections < 1:
        raise InputError(f"projections must be 1 or above, got {projections}")
    if reconstruction not in get_args(ReconstructionLoss):
        raise unknown("reconstruction loss", reconstruction, get_args(ReconstructionLoss))


def _check_pair(encoder: Encoder, decoder: Decoder, outputs_per_unit: int) -> None:
    if tuple(encoder.shape) != tuple(decoder.shape):
        raise InputError(
            f"decoder must give the encoder's image shape {tuple(encoder.shape)}, got {tuple(decoder.shape)}"
        )
    wanted = outputs_per_unit * decoder.latent
    if encoder.outputs != wanted:
        raise InputError(
            f"encoder must have {wanted} outputs, {outputs_per_unit} for each latent unit of the decoder, "
            f"got {encoder.outputs}"
        )
