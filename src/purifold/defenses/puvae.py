"""PuVAE: an image gives way to its reconstruction under the class that reconstructs it best.

Hwang et al., 2019, arXiv:1903.00585 (`puvae`), section 3.3.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, final

import torch
from torch import Tensor

from purifold.autoencoders.conditional import ConditionalAutoencoder
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.defenses.base import Defended, Purifier
from purifold.defenses.precision import Precision, in_precision
from purifold.defenses.recipe import Parts, Recipe
from purifold.errors import InputError
from purifold.networks.puvae import PuvaeDecoder, PuvaeEncoder
from purifold.randomness import normal
from purifold.types import Images, Logits, Model

NOISE = 0.1
"""Standard deviation at inference that the paper found best."""
SOFTNESS = 0.1
"""By this share of the smallest error another one must be larger to count e times less."""


@final
class ClassSearch(Purifier):
    """Reconstructs each image under every class, and keeps the reconstruction nearest to the image.

    The gradient is that of the chosen class: which one is nearest changes in steps.

    Args:
        autoencoder: Trained.
        noise: Standard deviations of the posterior by which codes are drawn off their means; 0 draws nothing.
        precision: Of the weights that are searched with; "bfloat16" is faster, and float32 on a machine that
            has none.
    """

    name: ClassVar[str] = "puvae"
    differentiable = True

    def __init__(
        self, autoencoder: ConditionalAutoencoder, *, noise: float = NOISE, precision: Precision = "float32"
    ) -> None:
        super().__init__()
        if not 0 <= noise < math.inf:
            raise InputError(f"noise must be 0 or above and finite, got {noise}")
        self.autoencoder = autoencoder
        self.searched = in_precision(autoencoder, precision)
        self.noise = noise
        self.precision = precision
        self.stochastic = noise > 0

    def forward(self, images: Images) -> Images:
        """The nearest reconstructions, from sampled codes where `noise` is above 0."""
        return self._nearest(images, self.noise * normal(self._latents(images), images))

    def surrogate(self, images: Images) -> Images:
        """The nearest reconstructions from the posteriors' means."""
        return self._nearest(images, images.new_zeros(self._latents(images)))

    def stand_ins(self, classifier: Model) -> Mapping[str, Model]:
        """`soft` mixes all reconstructions, the nearest the most; `selection` answers with how near they are.

        The deployed gradient follows one class and never tells how to make another one nearer. These do.
        """

        def soft(images: Images) -> Logits:
            candidates, closeness = self._closeness(images)
            shares = closeness.softmax(dim=0)[:, :, None, None, None]
            return classifier((shares * candidates).sum(dim=0))

        def selection(images: Images) -> Logits:
            return self._closeness(images)[1].transpose(0, 1)

        return {"soft": soft, "selection": selection}

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"noise={self.noise:g}, precision={self.precision!r}"

    @classmethod
    def example(cls, channels: int, size: int) -> "ClassSearch":
        """An untrained autoencoder of three classes, with larger codes than untrained weights give."""
        shape = (channels, size, size)
        encoder, decoder = PuvaeEncoder(shape, 3, 4), PuvaeDecoder(shape, 3, 4)
        with torch.no_grad():
            encoder.of_image.weight.mul_(100)
        return cls(ConditionalAutoencoder(encoder, decoder))

    def _nearest(self, images: Images, noise: Tensor) -> Images:
        precision = next(self.searched.parameters()).dtype
        return self.searched.search(images.to(precision), noise.to(precision))[0].to(images.dtype)

    def _closeness(self, images: Images) -> tuple[Tensor, Tensor]:
        """Reconstructions under every class, and the logits of a choice between them: (classes, batch)."""
        candidates = self.autoencoder.candidates(images)
        errors = (candidates - images).square().flatten(2).mean(dim=2)
        unit = SOFTNESS * errors.detach().amin(dim=0)
        return candidates, -errors / unit.clamp_min(torch.finfo(errors.dtype).tiny)

    def _latents(self, images: Images) -> tuple[int, int, int]:
        return len(images), self.autoencoder.classes, self.autoencoder.decoder.latent


def _assemble(parts: Parts, *, noise: float = NOISE, precision: Precision = "float32") -> Defended:
    (autoencoder,) = parts.autoencoders
    return Defended(parts.classifier, ClassSearch(autoencoder, noise=noise, precision=precision))


puvae = Recipe(
    name="puvae",
    summary="class-conditional VAE, the nearest of its reconstructions under every class",
    assemble=_assemble,
    autoencoders=(partial(ConditionalSpec),),
    sampling="noise",
    stand_ins=("soft", "selection"),
)
