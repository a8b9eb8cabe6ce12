"""How many latent units an autoencoder uses."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import torch
from jaxtyping import Float64
from torch import Tensor

from purifold.errors import InputError
from purifold.types import Images, Latent

PerUnit: TypeAlias = Float64[Tensor, "latent"]
ACTIVE = 0.01
"""Variance above which a unit counts as active."""


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
