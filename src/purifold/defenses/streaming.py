"""Patches through a purifier in bounded portions, with the exact gradient in bounded memory.

What the purifier remembers for its gradient is kept of few patches only. Of more, each portion goes through
it again backwards, with the noise that it drew before. Chen et al., 2016, arXiv:1604.06174, "Training deep
nets with sublinear memory cost", with one segment a portion.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from purifold.defenses.tiling import Portion, Tiling
from purifold.randomness import generators, rewind
from purifold.types import Images

Purify: TypeAlias = Callable[[Images], Images]
Passed: TypeAlias = tuple[Portion, Images, Images]
"""A portion, its patches, and what the purifier made of them, with a graph."""
HELD = 2**18
"""Pixels of the patches whose graph is kept: 1024 patches of 16x16."""


def streamed(images: Images, tiling: Tiling, purify: Purify, weights: Sequence[Tensor] = ()) -> Images:
    """Blends what `purify` makes of each patch, in memory that is bounded whatever size and stride.

    Args:
        images: In [0, 1], with sides of at least a patch.
        tiling: Where the patches lie.
        purify: Patches to patches, each on its own; may draw by `purifold.randomness.normal`.
        weights: What `purify` uses that asks for gradients; the images' gradient needs none.
    """
    hold = torch.is_grad_enabled() and tiling.pixels(images) <= HELD
    return _Streamed.apply(images, tiling, purify, hold, *weights)  # type: ignore[no-untyped-call]


class _Streamed(torch.autograd.Function):
    """Keeps the images and the state of the generators; of few patches the graph, too."""

    @staticmethod
    def forward(
        ctx: Any, images: Images, tiling: Tiling, purify: Purify, hold: bool, *weights: Tensor
    ) -> Images:
        """Portion by portion."""
        hold = hold and any(ctx.needs_input_grad)
        ctx.save_for_backward(images, *weights)
        ctx.tiling, ctx.purify, ctx.generators = tiling, purify, generators(images.device)
        blended = torch.zeros_like(images)
        ctx.held = []
        for portion in tiling.portions(images):
            patches = portion.cut(images).requires_grad_(hold)
            with torch.set_grad_enabled(hold):
                purified = purify(patches)
            portion.blend(purified.detach(), blended)
            if hold:
                ctx.held.append((portion, patches, purified))
        return blended.clamp_(0, 1)  # rounding may leave the range by a unit in the last place

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Adds up the gradients of the portions."""
        images, *weights = ctx.saved_tensors
        found = [torch.zeros_like(tensor) for tensor in (images, *weights)]
        held: Iterable[Passed] = ctx.held or _again(ctx, images)
        ctx.held = []  # a graph serves once
        for portion, patches, purified in held:
            outer = portion.weigh(portion.cut(gradient))
            inner = torch.autograd.grad(purified, (patches, *weights), outer)
            portion.add(inner[0], found[0])
            for total, part in zip(found[1:], inner[1:], strict=True):
                total.add_(part)
        return found[0], None, None, None, *found[1:]


def _again(ctx: Any, images: Images) -> Iterator[Passed]:
    """The portions once more, each with the draws that it had."""
    with _replayed(images.device, ctx.generators):
        for portion in ctx.tiling.portions(images):
            patches = portion.cut(images).requires_grad_()
            with torch.enable_grad():
                purified = ctx.purify(patches)
            yield portion, patches, purified


@contextmanager
def _replayed(device: torch.device, states: tuple[Tensor, Tensor | None]) -> Iterator[None]:
    """Draws what was drawn from these states on; the caller's generators are put back at the end."""
    with torch.random.fork_rng(devices=[] if states[1] is None else [device]):
        rewind(device, states)
        yield
