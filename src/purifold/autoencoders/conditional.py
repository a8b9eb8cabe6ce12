"""The class-conditional autoencoder of `puvae` (sections 3.1 and 3.2): it sees an image as one of a class."""

import math
from collections.abc import Iterator
from typing import Literal, TypeAlias, final, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from purifold.errors import InputError, unknown
from purifold.losses import cross_entropy
from purifold.networks.base import Shape
from purifold.networks.puvae import ConditionalEncoder, PuvaeDecoder
from purifold.types import Images, Labels, Model, Scores

Reduction: TypeAlias = Literal["sum", "mean"]
ROWS = 1024
"""Pairs of image and class that are decoded at a time."""


@final
class ConditionalAutoencoder(nn.Module):
    """Encodes and decodes images under labels; trained under their own.

    The loss of an image is the binary cross-entropy of its pixels, the divergence of its posterior from
    N(0, I), and the cross-entropy of a fixed classifier, the source, on what is reconstructed, weighted.

    Args:
        encoder: Gives means and standard deviations.
        decoder: For the same images, classes and latent size.
        rc_weight: Of the reconstruction; the paper's weights are 0.01, 0.1 and 10.
        kl_weight: Of the divergence.
        ce_weight: Of the source classifier's cross-entropy.
        pixels: Whether the reconstruction loss is the sum or the mean over the pixels.
        units: Whether the divergence is the sum or the mean over the latent units.

    Differs: equations 9, 10 and 12 of the paper have signs and a logarithm garbled; these are the standard
    forms. It does not say how pixels and units are reduced; `puvae`'s figure 4 shows other readings.
    """

    def __init__(
        self,
        encoder: ConditionalEncoder,
        decoder: PuvaeDecoder,
        *,
        rc_weight: float = 0.01,
        kl_weight: float = 0.1,
        ce_weight: float = 10.0,
        pixels: Reduction = "sum",
        units: Reduction = "sum",
    ) -> None:
        super().__init__()
        check_weights(rc_weight, kl_weight, ce_weight, pixels, units)
        _check_pair(encoder, decoder)
        self.encoder, self.decoder = encoder, decoder
        self.rc_weight, self.kl_weight, self.ce_weight = rc_weight, kl_weight, ce_weight
        self.pixels: Reduction = pixels
        self.units: Reduction = units

    @property
    def shape(self) -> Shape:
        """(channel, height, width) of the images."""
        return self.decoder.shape

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return self.decoder.classes

    def reconstruct(self, images: Images, labels: Labels) -> Images:
        """Decoded posterior means under each image's label."""
        mean, _ = self.encoder(images, labels)
        return self.decoder(mean, labels)

    def loss(self, images: Images, labels: Labels, source: Model) -> Scores:
        """What training minimises, one an image: the sum of `terms`."""
        return torch.stack(tuple(self.terms(images, labels, source).values())).sum(dim=0)

    def terms(self, images: Images, labels: Labels, source: Model) -> dict[str, Scores]:
        """Parts of the loss by name, weighted.

        Args:
            images: In [0, 1].
            labels: Their classes.
            source: The fixed classifier, whose gradient reaches the reconstruction.
        """
        mean, spread = (found.to(images.dtype) for found in self.encoder(images, labels))
        latent = torch.addcmul(mean, spread, torch.randn_like(mean))
        logits = self.decoder.logits(latent, labels).to(images.dtype)
        distortion = F.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1)
        tiny = torch.finfo(spread.dtype).tiny  # a softplus far below 0 is 0
        divergence = (mean.square() + spread.square() - 2 * spread.clamp_min(tiny).log() - 1) / 2
        return {
            "reconstruction": self.rc_weight * _reduced(distortion, self.pixels),
            "kl": self.kl_weight * _reduced(divergence, self.units),
            "source": self.ce_weight * cross_entropy(source(torch.sigmoid(logits)), labels),
        }

    def search(self, images: Images, noise: Float[Tensor, "batch classes latent"]) -> tuple[Images, Labels]:
        """Each image under every class: the reconstruction with the smallest mean squared error, its class.

        What the encoder shares runs once an image, the rest once a class, about `ROWS` reconstructions at a
        time. The gradient is that of the chosen class.

        Args:
            images: In [0, 1].
            noise: By which each code is drawn off its mean, in standard deviations.
        """
        features = self.encoder.features(images)
        nearest, labels = self._nearest(images, features, noise)
        if not torch.is_grad_enabled():
            return nearest, labels
        rows = torch.arange(len(images), device=images.device)
        mean, spread = self.encoder.head(features, labels)
        return self.decoder(torch.addcmul(mean, spread, noise[rows, labels]), labels), labels

    def candidates(self, images: Images) -> Float[Tensor, "classes batch channel height width"]:
        """Each image under every class, from the posteriors' means; all at once, unlike `search`."""
        noise = images.new_zeros(len(images), self.classes, self.decoder.latent)
        return self._decoded(self.encoder.features(images), range(self.classes), noise)

    @torch.no_grad()
    def _nearest(self, images: Images, features: Tensor, noise: Tensor) -> tuple[Images, Labels]:
        """The nearest reconstruction so far, portion by portion, and its class."""
        wide = torch.promote_types(images.dtype, torch.float32)  # a mean over pixels needs more than 8 bits
        rows = torch.arange(len(images), device=images.device)
        least = torch.full_like(rows, torch.inf, dtype=wide)
        nearest, labels = torch.empty_like(images), torch.zeros_like(rows)
        for classes in self._portions(len(images)):
            decoded = self._decoded(features, classes, noise)
            errors, places = (decoded.to(wide) - images).square().flatten(2).mean(dim=2).min(dim=0)
            nearer = errors < least
            least = torch.where(nearer, errors, least)
            labels = torch.where(nearer, places + classes.start, labels)
            nearest = torch.where(nearer[:, None, None, None], decoded[places, rows], nearest)
        return nearest, labels

    def _portions(self, count: int) -> Iterator[range]:
        step = max(1, ROWS // max(1, count))
        for start in range(0, self.classes, step):
            yield range(start, min(start + step, self.classes))

    def _decoded(self, features: Tensor, classes: range, noise: Tensor) -> Tensor:
        """Reconstructions of every image under these classes: (classes, batch, channel, height, width)."""
        pairs = (len(classes), len(features))
        labels = torch.tensor(classes, device=features.device).repeat_interleave(len(features))
        each = features.repeat(len(classes), *(1 for _ in features.shape[1:]))
        mean, spread = self.encoder.head(each, labels)
        drawn = noise[:, classes.start : classes.stop].transpose(0, 1).flatten(0, 1)
        return self.decoder(torch.addcmul(mean, spread, drawn), labels).unflatten(0, pairs)


def check_weights(rc_weight: float, kl_weight: float, ce_weight: float, pixels: str, units: str) -> None:
    """Refuses weights and reductions that nothing can be trained with."""
    for name, weight in (("rc_weight", rc_weight), ("kl_weight", kl_weight), ("ce_weight", ce_weight)):
        if not 0 <= weight < math.inf:
            raise InputError(f"{name} must be 0 or above and finite, got {weight}")
    for reduction in (pixels, units):
        if reduction not in get_args(Reduction):
            raise unknown("reduction", reduction, get_args(Reduction))


def _check_pair(encoder: ConditionalEncoder, decoder: PuvaeDecoder) -> None:
    for name in ("shape", "classes", "latent"):
        wanted, got = getattr(encoder, name), getattr(decoder, name)
        if wanted != got:
            raise InputError(f"decoder must have the encoder's {name} {wanted}, got {got}")


def _reduced(values: Tensor, reduction: Reduction) -> Scores:
    return values.sum(dim=1) if reduction == "sum" else values.mean(dim=1)
