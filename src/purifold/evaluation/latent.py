"""What an autoencoder does with its latent space: units used, extent, and how attacks move the codes."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import torch
from jaxtyping import Float64
from torch import Tensor

from purifold.errors import InputError
from purifold.types import Images, Latent, Scores

PerUnit: TypeAlias = Float64[Tensor, "latent"]
ACTIVE = 0.01
"""Variance above which a unit counts as active."""
BLOCK = 1024
"""Codes on each side of one block of distances: 8 MiB of them."""


def active_units(
    encode: Callable[[Images], Latent], batches: Iterable[Tensor], threshold: float = ACTIVE
) -> int:
    """Units whose posterior mean varies over the data by more than `threshold`.

    Burda et al., 2016, arXiv:1509.00519, section 5.2.
    """
    return int((latent_variance(encode, batches) > threshold).sum())


@torch.no_grad()
def latent_variance(encode: Callable[[Images], Latent], batches: Iterable[Tensor]) -> PerUnit:
    """Variance over the images of each unit's code, divided by the number of images less 1.

    Batches are folded in one at a time (Chan et al., 1983, The American Statistician 37:242, equation 2.1).

    Args:
        encode: Posterior mean of each image.
        batches: Two images or more, in batches of any sizes.
    """
    count, mean, squares = 0, torch.zeros(0), torch.zeros(0)
    for images in batches:
        latent = encode(images).double()
        fresh = latent.mean(dim=0)
        deviation = (latent - fresh).square().sum(dim=0)
        if count == 0:
            count, mean, squares = len(latent), fresh, deviation
            continue
        total = count + len(latent)
        apart = fresh - mean
        squares = squares + deviation + apart.square() * (count * len(latent) / total)
        mean = mean + apart * (len(latent) / total)
        count = total
    if count < 2:  # noqa: PLR2004
        raise InputError(f"batches must hold at least 2 images for a variance, got {count}")
    return squares / (count - 1)


@torch.no_grad()
def diameter(codes: Latent) -> float:
    """Largest Euclidean distance between two codes, in double precision and bounded memory.

    `ae-robustness`, section 5.4. Codes are centred first, so that nothing cancels in
    |a - b|^2 = |a|^2 + |b|^2 - 2ab; each pair of blocks is looked at once.
    """
    if len(codes) < 2:  # noqa: PLR2004
        raise InputError(f"codes must hold at least 2 codes for a distance, got {len(codes)}")
    centred = codes.double() - codes.double().mean(dim=0)
    blocks = list(zip(centred.split(BLOCK), centred.square().sum(dim=1).split(BLOCK), strict=True))
    furthest = max(
        float(torch.addmm(lengths[:, None] + others, block, other.T, alpha=-2).max())
        for place, (block, lengths) in enumerate(blocks)
        for other, others in blocks[place:]
    )
    return max(furthest, 0.0) ** 0.5


def shift(clean: Latent, attacked: Latent) -> tuple[Scores, Scores]:
    """How an attack moved each code: the cosine between both, and attacked length over clean length.

    `ae-robustness`, Fig. 5. Where the clean code is 0 the ratio is infinite, or 1 where both are.
    """
    lengths = torch.linalg.vector_norm(clean, dim=1), torch.linalg.vector_norm(attacked, dim=1)
    ratio = torch.where((lengths[0] == 0) & (lengths[1] == 0), 1, lengths[1] / lengths[0])
    return torch.nn.functional.cosine_similarity(clean, attacked, dim=1), ratio
