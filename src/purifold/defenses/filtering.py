"""Separable filters over images, mirrored at the border without repeating the edge pixel."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from purifold.types import Images


def filtered(images: Images, kernel: Float[Tensor, "taps"]) -> Images:
    """Each channel convolved along both axes.

    A sum of shifted images: a convolution would widen few channels to the blocks that it computes in, many
    times a large image's memory.

    Args:
        images: In [0, 1]; each side longer than half the kernel.
        kernel: An odd number of weights that sum to 1.
    """
    for axis in (2, 3):
        images = _along(images, kernel.tolist(), axis)
    return in_range(images)


def in_range(images: Images) -> Images:
    """The same images, put back into [0, 1] where rounding has moved them out of it; the gradient stays."""
    images.detach().clamp_(0, 1)
    return images


def _along(images: Tensor, weights: list[float], axis: int) -> Tensor:
    length, reach = images.shape[axis], len(weights) // 2
    margins = [reach, reach, 0, 0] if axis == 3 else [0, 0, reach, reach]  # noqa: PLR2004
    padded = F.pad(images, margins, mode="reflect")
    total = padded.narrow(axis, 0, length) * weights[0]
    for shift, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(axis, shift, length), alpha=weight)
    return total
