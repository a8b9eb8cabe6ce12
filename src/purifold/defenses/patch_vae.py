"""`patch-vae`: a VAE of small patches in front of a classifier of large images.

Luo and Pfister, "Adversarial defense of image classification using a variational auto-encoder", sections 3 to
6: patches are reconstructed, averaged where they overlap, and the image is smoothed. The four strides of its
ensemble are those of its tables 6 and 7.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.patch_spec import PatchSpec
from purifold.defenses.base import Defended, Purifier
from purifold.defenses.chain import Chain
from purifold.defenses.ensemble import Ensemble
from purifold.defenses.patchwise import Patchwise
from purifold.defenses.recipe import Parts, Recipe
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.smoothing import Smoothing
from purifold.defenses.tiling import Window

Filter: TypeAlias = Literal["mean", "gaussian", "none"]
CLIP = 5.0
"""Largest size of the standard normal draws, which the paper tunes at test time."""
MEMBERS = ((0, 1), (1, 1), (2, 2), (2, 1))
"""Of the ensemble: which of its autoencoders, and how many strides make a patch."""


def _single(
    parts: Parts,
    *,
    stride: int = 16,
    window: Window = "uniform",
    smoothing: Filter = "mean",
    latent_scale: float = 1.0,
    clip: float = CLIP,
) -> Defended:
    (autoencoder,) = parts.autoencoders
    member = _patchwise(autoencoder, stride, window, latent_scale, clip)
    return Defended(parts.classifier, _smoothed(member, smoothing))


def _several(
    parts: Parts,
    *,
    window: Window = "uniform",
    smoothing: Filter = "mean",
    latent_scale: float = 1.0,
    clip: float = CLIP,
) -> Defended:
    members = _members(parts.autoencoders, window, latent_scale, clip)
    return Defended(parts.classifier, _smoothed(Ensemble(members), smoothing))


def _members(
    autoencoders: Sequence[Autoencoder], window: Window, latent_scale: float, clip: float
) -> list[Purifier]:
    return [
        _patchwise(autoencoders[place], autoencoders[place].shape[1] // strides, window, latent_scale, clip)
        for place, strides in MEMBERS
    ]


def _patchwise(
    autoencoder: Autoencoder, stride: int, window: Window, latent_scale: float, clip: float
) -> Patchwise:
    inner = Reconstruction(autoencoder, latent_scale=latent_scale, clip=clip)
    return Patchwise(inner, patch=autoencoder.shape[1], stride=stride, window=window)


def _smoothed(purifier: Purifier, smoothing: Filter) -> Purifier:
    return purifier if smoothing == "none" else Chain([purifier, Smoothing(shape=smoothing)])


patch_vae = Recipe(
    name="patch-vae",
    summary="a VAE of small patches, for images of any size, and a 5x5 smoothing filter; sampled at scale 1",
    assemble=_single,
    autoencoders=(partial(PatchSpec),),
    sampling="latent_scale",
)
patch_ensemble = Recipe(
    name="patch-ensemble",
    summary="mean of VAEs of 16, 32 and 64 pixel patches, the last at two strides, and the filter; sampled",
    assemble=_several,
    autoencoders=(
        partial(PatchSpec, patch=16),
        partial(PatchSpec, patch=32),
        partial(PatchSpec, patch=64, latent=1024),
    ),
    sampling="latent_scale",
    fixed=("patch", "latent"),
)
