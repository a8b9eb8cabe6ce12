"""Holds a fixed, stratified part of the training images out, for thresholds and early stops."""

import numpy as np
import torch
from torch import Tensor

from purifold.errors import InputError
from purifold.types import Labels


def holdout(labels: Labels, count: int, groups: Tensor | None = None, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows to keep and `count` rows to hold out, each in ascending order.

    Every class gives its share within one image; rounding is carried from class to class, so that the
    total is exact. Images of one class and one group stay together: then shares are met within half a
    group. A class keeps at least one group, so one that has no other gives nothing.

    The same rows on every machine and version: NumPy freezes the streams of `RandomState` (NEP 19).

    Args:
        labels: One an image.
        count: Images to hold out, below the number of images.
        groups: What must not straddle, one an image; None: every image stands for itself.
        seed: Another one holds other images out.
    """
    if not 0 <= count < max(len(labels), 1):
        raise InputError(f"count must lie in [0, {len(labels)}), the number of images, got {count}")
    random = np.random.RandomState(seed)
    classes = labels.cpu().numpy()
    keys = np.arange(len(classes)) if groups is None else groups.cpu().numpy()
    held = np.zeros(len(classes), dtype=bool)
    owed = 0  # in images times len(labels), so that shares are integers
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        owed += count * len(rows)
        chosen = _choose(rows, keys[rows], owed, len(classes), random)
        held[chosen] = True
        owed -= len(chosen) * len(classes)
    return torch.from_numpy(np.flatnonzero(~held)), torch.from_numpy(np.flatnonzero(held))


def _choose(
    rows: np.ndarray, keys: np.ndarray, owed: int, scale: int, random: np.random.RandomState
) -> np.ndarray:
    """Whole groups of a class, in random order, each where it brings the total nearer to owed / scale."""
    order = np.argsort(keys, kind="stable")
    starts = np.unique(keys[order], return_index=True)[1]
    members = np.split(rows[order], starts[1:])
    chosen: list[np.ndarray] = []
    taken = 0
    for place in random.permutation(len(members))[:-1]:
        group = members[place]
        if (2 * taken + len(group)) * scale < 2 * owed:
            chosen.append(group)
            taken += len(group)
    return np.concatenate(chosen) if chosen else rows[:0]
