"""Where square patches lie on an image, and what each counts for a pixel that several of them cover.

Patches and weights are the product of those of the two axes, so that no map of an image's size is kept.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias, final

import torch
from jaxtyping import Float
from torch import Tensor

from purifold.types import Images

Patches: TypeAlias = Float[Tensor, "patches channel side side"]
Window: TypeAlias = Literal["uniform", "hann"]
WINDOWS: tuple[Window, ...] = ("uniform", "hann")
PORTION = 2**15
"""Pixels of the patches that go through at a time: 128 of 16x16."""
LEAST, WIDEST = 32, 2**17
"""Patches that go through at a time as far as these pixels hold them: networks of large patches have large
dense layers, which are read once a portion."""


def starts(length: int, patch: int, stride: int) -> list[int]:
    """First pixels of the patches along an axis: every `stride`, and one flush with the end."""
    regular = list(range(0, length - patch + 1, stride))
    return regular if regular[-1] == length - patch else [*regular, length - patch]


def shares(length: int, patch: int, stride: int, window: Window) -> Float[Tensor, "patches side"]:
    """What each patch along an axis counts for each of its pixels; over all patches 1 at every pixel."""
    weights = torch.ones(patch, dtype=torch.float64)
    if window == "hann":  # sampled between its zeros, so that pixels that one patch alone covers count
        weights = torch.sin(math.pi * (torch.arange(patch) + 0.5).double() / patch).square()
    places = starts(length, patch, stride)
    covered = torch.zeros(length, dtype=torch.float64)
    for start in places:
        covered[start : start + patch] += weights
    return torch.stack([weights / covered[start : start + patch] for start in places])


@final
@dataclass(frozen=True, eq=False)
class Portion:
    """Some patches of some images.

    Args:
        images: Which images of the batch.
        places: Row, column and weights (patch, patch) of each patch.
        patch: Side of a patch.
    """

    images: slice
    places: Sequence[tuple[int, int, Tensor]]
    patch: int

    def cut(self, images: Images) -> Patches:
        """The patches, those of one place together."""
        return torch.cat([self._under(images, row, column) for row, column, _ in self.places])

    def weigh(self, patches: Patches) -> Patches:
        """The patches times their weights, in place."""
        for part, (_, _, weights) in zip(self._by_place(patches), self.places, strict=True):
            part.mul_(weights)
        return patches

    def blend(self, patches: Patches, images: Images) -> None:
        """Adds the patches times their weights to the images that they lie on."""
        for part, (row, column, weights) in zip(self._by_place(patches), self.places, strict=True):
            self._under(images, row, column).addcmul_(part, weights)

    def add(self, patches: Patches, images: Images) -> None:
        """Adds the patches to the images that they lie on."""
        for part, (row, column, _) in zip(self._by_place(patches), self.places, strict=True):
            self._under(images, row, column).add_(part)

    def _under(self, images: Images, row: int, column: int) -> Tensor:
        return images[self.images, :, row : row + self.patch, column : column + self.patch]

    def _by_place(self, patches: Patches) -> Sequence[Tensor]:
        return patches.chunk(len(self.places))


@final
@dataclass(frozen=True, kw_only=True)
class Tiling:
    """Overlapping square patches that cover images whose sides are `patch` or above.

    Args:
        patch: Side of a patch in pixels.
        stride: Pixels from one patch to the next, `patch` at most; the last one is flush with the edge.
        window: "uniform" averages what covers a pixel; "hann" lets a patch fade towards its edges.
    """

    patch: int
    stride: int
    window: Window = "uniform"

    def pixels(self, images: Images) -> int:
        """Of all patches of all images together."""
        down, across = (len(starts(length, self.patch, self.stride)) for length in images.shape[2:])
        return len(images) * down * across * self.patch**2

    def portions(self, images: Images) -> Iterator[Portion]:
        """All patches of all images, a bounded number at a time."""
        area = self.patch**2
        most = max(1, PORTION // area, min(LEAST, WIDEST // area))
        for first in range(0, len(images), most):
            group = slice(first, min(first + most, len(images)))
            each = max(1, most // (group.stop - group.start))
            for places in _batched(self._places(images), each):
                yield Portion(group, places, self.patch)

    def _places(self, images: Images) -> Iterator[tuple[int, int, Tensor]]:
        down, across = (self._axis(length, images) for length in images.shape[2:])
        for (row, vertical), (column, horizontal) in product(down, across):
            yield row, column, vertical[:, None] * horizontal

    def _axis(self, length: int, images: Images) -> list[tuple[int, Tensor]]:
        weights = shares(length, self.patch, self.stride, self.window).to(images.device, images.dtype)
        return list(zip(starts(length, self.patch, self.stride), weights, strict=True))


def _batched(
    places: Iterable[tuple[int, int, Tensor]], size: int
) -> Iterator[Sequence[tuple[int, int, Tensor]]]:
    held: list[tuple[int, int, Tensor]] = []
    for place in places:
        held.append(place)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
