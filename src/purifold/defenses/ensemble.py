"""Ensemble: the mean of several purifiers, as in `patch-vae`, where it averages four patch sizes."""

from collections.abc import Iterable
from typing import ClassVar, cast, final

import torch
from torch import Tensor, nn

from purifold.defenses.base import Defended, Purifier
from purifold.defenses.recipe import Parts, Recipe
from purifold.defenses.reconstruction import Reconstruction, ae, dae, dvae, vae
from purifold.errors import InputError
from purifold.types import Images


@final
class Ensemble(Purifier):
    """The pixel-wise mean of what each purifier makes of an image.

    Args:
        purifiers: At least one. The ensemble is stochastic where any of them is, and differentiable where
            all of them are.
    """

    name: ClassVar[str] = "ensemble"

    def __init__(self, purifiers: Iterable[Purifier]) -> None:
        super().__init__()
        members = list(purifiers)
        if not members:
            raise InputError("purifiers must hold at least one purifier, got none")
        self.purifiers = nn.ModuleList(members)
        self.stochastic = any(member.stochastic for member in members)
        self.differentiable = all(member.differentiable for member in members)

    def forward(self, images: Images) -> Images:
        """The mean of the purified images."""
        return self._mean(member(images) for member in self._members())

    def surrogate(self, images: Images) -> Images:
        """The mean of the members' surrogates."""
        return self._mean(member.surrogate(images) for member in self._members())

    @classmethod
    def example(cls, channels: int, size: int) -> "Ensemble":
        """Two autoencoders of different weights."""
        return cls([Reconstruction.example(channels, size) for _ in range(2)])

    def _members(self) -> Iterable[Purifier]:
        return cast(Iterable[Purifier], self.purifiers)

    def _mean(self, purified: Iterable[Tensor]) -> Tensor:
        """Added up one by one, so that no more than two images are held."""
        return sum(purified, start=torch.zeros(())) / len(self.purifiers)


def _assemble(parts: Parts, *, latent_scale: float = 1.0) -> Defended:
    scales = (0.0, 0.0, latent_scale, latent_scale)
    members = [
        Reconstruction(autoencoder, latent_scale=scale)
        for autoencoder, scale in zip(parts.autoencoders, scales, strict=True)
    ]
    return Defended(parts.classifier, Ensemble(members))


ensemble = Recipe(
    name="ensemble",
    summary="mean of the reconstructions of ae, dae, vae and dvae, which share no weights; VAEs are sampled",
    assemble=_assemble,
    autoencoders=ae.autoencoders + dae.autoencoders + vae.autoencoders + dvae.autoencoders,
    sampling="latent_scale",
)
