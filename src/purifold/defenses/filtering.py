"""Separable filters over images, mirrored at the border without repeating the edge pixel.

Strip by strip, and backwards again: a graph of the whole would keep several copies of a large image.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from purifold.types import Images

STRIP = 2**18
"""Values that are filtered at a time: 1 MiB of single precision."""
Place: TypeAlias = tuple[slice, slice, slice]
"""Images, channels, rows."""


def filtered(images: Images, kernel: Float[Tensor, "taps"]) -> Images:
    """Each channel convolved along both axes, in memory that does not depend on the images' size.

    A sum of shifted images: a convolution would widen few channels to the blocks that it computes in, many
    times a large image's memory.

    Args:
        images: In [0, 1]; each side longer than half the kernel.
        kernel: An odd number of weights that sum to 1.
    """
    return _Filtered.apply(images, kernel.tolist())  # type: ignore[no-untyped-call]


class _Filtered(torch.autograd.Function):
    """Keeps nothing: the gradient of a sum of shifts does not depend on the images."""

    @staticmethod
    def forward(ctx: Any, images: Images, weights: Sequence[float]) -> Images:
        """Strip by strip."""
        ctx.weights = weights
        smoothed = images.new_empty(images.shape)
        for source, target, margins in _strips(images.shape, len(weights) // 2):
            # rounding may leave the range by a unit in the last place
            smoothed[target] = _convolved(images[source], margins, weights).clamp_(0, 1)
        return smoothed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Adds up the strips' gradients where they overlap."""
        found = gradient.new_zeros(gradient.shape)
        for source, target, margins in _strips(gradient.shape, len(ctx.weights) // 2):
            strip = torch.zeros_like(found[source], requires_grad=True)
            with torch.enable_grad():
                convolved = _convolved(strip, margins, ctx.weights)
            found[source] += torch.autograd.grad(convolved, strip, gradient[target])[0]
        return found, None


def _strips(shape: torch.Size, reach: int) -> Iterator[tuple[Place, Place, list[int]]]:
    """What is read and what is written at a time, and the pixels mirrored on the left, right, top, bottom."""
    count, channels, height, width = shape
    images = max(1, STRIP // (channels * height * width))
    rows = max(1, STRIP // (channels * width))
    for first in range(0, count, images):
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            above, below = max(0, top - reach), min(height, bottom + reach)
            group, every = slice(first, first + images), slice(None)
            margins = [reach, reach, reach - (top - above), reach - (below - bottom)]
            yield (group, every, slice(above, below)), (group, every, slice(top, bottom)), margins


def _convolved(strip: Tensor, margins: list[int], weights: Sequence[float]) -> Tensor:
    padded = F.pad(strip, margins, mode="reflect")
    for axis in (2, 3):
        padded = _along(padded, weights, axis)
    return padded


def _along(padded: Tensor, weights: Sequence[float], axis: int) -> Tensor:
    length = padded.shape[axis] - len(weights) + 1
    total = padded.narrow(axis, 0, length) * weights[0]
    for shift, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(axis, shift, length), alpha=weight)
    return total
