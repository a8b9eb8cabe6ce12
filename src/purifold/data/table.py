"""Data sets stored as rows of image and label: Parquet files in a local folder, or the same on the Hub."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from purifold.data.base import Source
from purifold.data.cache import digest, kept
from purifold.data.decode import Prepare, decode, describe
from purifold.data.divide import check_alike, divide
from purifold.data.hub import hub_shards
from purifold.data.local import local_folder, local_shards
from purifold.data.shard import Shard
from purifold.data.split import DataSet, Split
from purifold.errors import InputError


@final
@dataclass(frozen=True, kw_only=True)
class Table(Source):
    """Rows of image and label.

    Validation images are the official ones; where there are none, a fixed stratified tenth of the training
    part, at most 5,000. The test part is never touched.

    Args:
        hub: Repository on the Hugging Face Hub; None: there is none, the official archive is imported.
        config: The repository's configuration, where it has several.
        image: Column of the images.
        label: Column of the labels.
        group: Column of what must not straddle training and validation, one class at a time.
        train: Name of the training part; None where there is none.
        validation: Name of the official validation part.
        prepare: Crops or resizes each image.
    """

    hub: str | None = None
    config: str | None = None
    image: str = "image"
    label: str = "label"
    group: str | None = None
    train: str | None = "train"
    validation: str | None = None
    prepare: Prepare | None = None

    def load(self, root: Path | None, label: str | None = None) -> DataSet:
        """See `Source.load`."""
        name = self.name if label is None else f"{self.name}:{label}"
        read = partial(self._part, name, label or self.label)
        test = read("test", self._shards("test", root))
        if self.train is None:
            return DataSet(name, None, None, test)
        shards = self._shards(self.train, root)
        train = read("train", shards)
        if self.validation is None:
            train, validation = divide(train, self._groups(shards))
        else:
            validation = read("validation", self._shards(self.validation, root))
        for part in (train, validation):
            check_alike(part, test)
        return DataSet(name, train, validation, test)

    def _shards(self, part: str, root: Path | None) -> list[Shard]:
        if root is not None:
            return local_shards(local_folder(root, self.name), part)
        if self.hub is None:
            raise InputError(
                f"{self.name} has no copy on the Hub: turn the official archive into DIR/{self.name} with "
                f"`purifold data import {self.name} ARCHIVE_DIR`, then pass --data-root DIR"
            )
        return hub_shards(self.name, self.hub, self.config, part)

    def _part(self, name: str, label: str, part: str, shards: list[Shard]) -> Split:
        labels, classes = _labels(shards, label)
        if len(classes) != self.classes:
            raise InputError(
                f"{shards[0].place} names {len(classes)} classes, {self.name} has {self.classes}"
            )
        pixels = self._pixels(shards, len(labels))
        if self.shape not in (None, tuple(pixels.shape[1:])):
            got, wanted = describe(pixels.shape[1:]), describe(self.shape)
            raise InputError(f"images of {shards[0].place} are {got}, those of {self.name} {wanted}")
        return Split(f"{name}/{part}", pixels, torch.from_numpy(labels), classes)

    def _pixels(self, shards: list[Shard], count: int) -> Tensor:
        def cells() -> Iterator[tuple[str, bytes]]:
            return (cell for shard in shards for cell in shard.images(self.image))

        if self.prepare is not None:
            return decode(cells(), count, self.prepare)
        return kept(digest(content for _, content in cells()), lambda: decode(cells(), count))

    def _groups(self, shards: list[Shard]) -> Tensor | None:
        if self.group is None:
            return None
        return torch.from_numpy(np.concatenate([shard.integers(self.group) for shard in shards]))


def _labels(shards: list[Shard], column: str) -> tuple[np.ndarray, tuple[str, ...]]:
    labels, names = zip(*(shard.labels(column) for shard in shards), strict=True)
    for shard, other in zip(shards, names, strict=True):
        if other != names[0]:
            raise InputError(f"{shard.place} and {shards[0].place} name their classes differently")
    if not sum(map(len, labels)):
        raise InputError(f"{shards[0].place} holds no images")
    return np.concatenate(labels), names[0]
