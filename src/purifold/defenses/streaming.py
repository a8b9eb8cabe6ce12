"""Patches through a purifier in bounded portions, with the exact gradient and no more memory for it.

What the purifier remembers for its gradient is not kept: backwards each portion goes through it again, with
the noise that it drew before. Chen et al., 2016, arXiv:1604.06174, "Training deep nets with sublinear memory
cost", with one segment a portion.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from purifold.defenses.tiling import Tiling
from purifold.randomness import generators, rewind
from purifold.types import Images

Purify: TypeAlias = Callable[[Images], Images]


def streamed(images: Images, tiling: Tiling, purify: Purify, weights: Sequence[Tensor] = ()) -> Images:
    """Blends what `purify` makes of each patch, in memory that depends on neither size nor stride.

    Args:
        images: In [0, 1], with sides of at least a patch.
        tiling: Where the patches lie.
        purify: Patches to patches, each on its own; may draw from torch's generator.
        weights: What `purify` uses that asks for gradients; the images' gradient needs none.
    """
    return _Streamed.apply(images, tiling, purify, *weights)  # type: ignore[no-untyped-call]


class _Streamed(torch.autograd.Function):
    """Keeps the images and the state of the generators instead of a graph."""

    @staticmethod
    def forward(ctx: Any, images: Images, tiling: Tiling, purify: Purify, *weights: Tensor) -> Images:
        """Portion by portion."""
        ctx.save_for_backward(images, *weights)
        ctx.tiling, ctx.purify, ctx.generators = tiling, purify, generators(images.device)
        blended = torch.zeros_like(images)
        for portion in tiling.portions(images):
            portion.blend(purify(portion.cut(images)), blended)
        return blended.clamp_(0, 1)  # rounding may leave the range by a unit in the last place

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Goes through the portions once more, each with the draws that it had; adds up their gradients."""
        images, *weights = ctx.saved_tensors
        found = [torch.zeros_like(tensor) for tensor in (images, *weights)]
        with _replayed(images.device, ctx.generators), torch.enable_grad():
            for portion in ctx.tiling.portions(images):
                patches = portion.cut(images).requires_grad_()
                outer = portion.weigh(portion.cut(gradient))
                inner = torch.autograd.grad(ctx.purify(patches), (patches, *weights), outer)
                portion.add(inner[0], found[0])
                for total, part in zip(found[1:], inner[1:], strict=True):
                    total.add_(part)
        return found[0], None, None, *found[1:]


@contextmanager
def _replayed(device: torch.device, states: tuple[Tensor, Tensor | None]) -> Iterator[None]:
    """Draws what was drawn from these states on; the caller's generators are put back at the end."""
    with torch.random.fork_rng(devices=[] if states[1] is None else [device]):
        rewind(device, states)
        yield
