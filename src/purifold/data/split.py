"""Images and labels held as two tensors, so that an epoch never waits for a loader."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import UInt8
from torch import Tensor

from purifold.errors import InputError
from purifold.types import Images, Labels


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set, in its original order.

    Args:
        name: Data set and part, "mnist/test"; kept in records.
        pixels: Bytes, (images, channel, height, width).
        labels: Classes from 0, one an image.
        classes: Class names in the order of the labels.
    """

    name: str
    pixels: UInt8[Tensor, "batch channel height width"]
    labels: Labels
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channel, height, width) of an image."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    @cached_property
    def hash(self) -> str:
        """SHA-256 over shape, pixels, labels and class names, as 16 hex digits."""
        digest = hashlib.sha256(repr((tuple(self.pixels.shape), self.classes)).encode())
        digest.update(self.pixels.cpu().contiguous().numpy().data)
        digest.update(self.labels.cpu().contiguous().numpy().data)
        return digest.hexdigest()[:16]

    def images(self, rows: Tensor | slice = slice(None)) -> Images:
        """Images in [0, 1]."""
        return self.pixels[rows].float().div_(255)

    def select(self, rows: Tensor | slice) -> "Split":
        """These images alone."""
        return replace(self, pixels=self.pixels[rows], labels=self.labels[rows])

    def first(self, count: int) -> "Split":
        """The first `count` images, or all where there are fewer."""
        return self.select(slice(count))

    def sample(self, count: int) -> "Split":
        """`count` images: the first ones, or of a split ordered by class a fixed random choice."""
        order = self._order(count)
        return self.first(count) if order is None else self.select(order[:count])

    def rest(self, count: int) -> "Split":
        """The images that `sample(count)` leaves."""
        order = self._order(count)
        return self.select(slice(count, None) if order is None else order[count:])

    def _order(self, count: int) -> Tensor | None:
        """A fixed random order; None where the images' own will do."""
        if count >= len(self) or not bool((self.labels.diff() >= 0).all()):
            return None
        return torch.randperm(len(self), generator=torch.Generator().manual_seed(0)).to(self.labels.device)

    def to(self, device: torch.device | str) -> "Split":
        """The same split on `device`."""
        return replace(self, pixels=self.pixels.to(device), labels=self.labels.to(device))


@dataclass(frozen=True, eq=False)
class DataSet:
    """The parts of a data set: what is trained on, what thresholds and early stops see, what is judged.

    Args:
        name: As in `purifold list data`.
        train: None where the data set has no training part.
        validation: Held out of the official training part; None where there is none.
        test: The official test part, whole.
    """

    name: str
    train: Split | None
    validation: Split | None
    test: Split

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channel, height, width) of an image."""
        return self.test.shape

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.test.classes)

    def part(self, name: str) -> Split:
        """The part "train", "validation" or "test"; refuses one that the data set lacks."""
        found: Split | None = getattr(self, name)
        if found is None:
            raise InputError(
                f"{self.name} has no {name} images; use a data set that has, or weights made elsewhere"
            )
        return found

    def to(self, device: torch.device | str) -> "DataSet":
        """All parts on `device`."""
        parts = (
            None if part is None else part.to(device) for part in (self.train, self.validation, self.test)
        )
        return DataSet(self.name, *parts)  # type: ignore[arg-type]
