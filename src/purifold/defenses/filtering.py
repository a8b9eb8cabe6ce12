"""Separable filters over images, mirrored at the border without repeating the edge pixel."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from purifold.types import Images


def filtered(images: Images, kernel: Float[Tensor, "taps"]) -> Images:
    """Each channel convolved along both axes.

    Args:
        images: In [0, 1]; each side longer than half the kernel.
        kernel: An odd number of weights that sum to 1.
    """
    channels, reach = images.shape[1], len(kernel) // 2
    weights = kernel.expand(channels, 1, 1, -1)
    padded = F.pad(images, [reach] * 4, mode="reflect")
    rows = F.conv2d(padded, weights, groups=channels)
    return in_range(F.conv2d(rows, weights.transpose(2, 3), groups=channels))


def in_range(images: Images) -> Images:
    """Images that rounding has moved out of [0, 1] by a unit in the last place; the gradient stays."""
    return images + (images.clamp(0, 1) - images).detach()
