"""The gallery: images as submitted and as purified, with the answers of the system."""

from typing import TYPE_CHECKING

import numpy as np

from purifold.defenses.base import REJECTED
from purifold.engine.steps.gallery import Pictures, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIGHT, WRONG, REFUSED = "#2a7d4f", "#c2362f", "#8a6d1d"
LONGEST = 12
"""Letters of a class name that fit under an image."""


def gallery(pictures: Pictures) -> "Figure":
    """For each knowledge the images as submitted and, where they differ, as purified, with the answers."""
    from matplotlib.figure import Figure

    rows = [row for level, shown in pictures.shown.items() for row in _rows(level, shown)]
    count = len(pictures.labels)
    figure = Figure(figsize=(1.0 + 0.95 * count, 1.05 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), count, squeeze=False)
    for panel, label in zip(axes[0], pictures.labels, strict=True):
        panel.set_title(pictures.classes[int(label)][:LONGEST], fontsize=9)
    for line, (title, images, answers) in zip(axes, rows, strict=True):
        _row(line, images, title)
        if answers is not None:
            _answers(line, answers, pictures)
    return figure


def _rows(level: str, shown: Shown) -> list[tuple[str, np.ndarray, np.ndarray | None]]:
    """Title, images and answers of each row; the answers stand under what the classifier saw."""
    title = level.replace(", ", ",\n")
    if np.array_equal(shown.images, shown.purified):
        return [(title, shown.images, shown.predicted)]
    return [(title, shown.images, None), ("purified", shown.purified, shown.predicted)]


def _row(axes: "np.ndarray", images: np.ndarray, title: str) -> None:
    for panel, image in zip(axes, images, strict=True):
        panel.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    axes[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)


def _answers(axes: "np.ndarray", answers: np.ndarray, pictures: Pictures) -> None:
    for panel, predicted, label in zip(axes, answers, pictures.labels, strict=True):
        _answer(panel, int(predicted), int(label), pictures.classes)


def _answer(panel: "Axes", predicted: int, label: int, classes: tuple[str, ...]) -> None:
    if predicted == REJECTED:
        panel.set_xlabel("rejected", color=REFUSED, fontsize=8)
        return
    color = RIGHT if predicted == label else WRONG
    panel.set_xlabel(classes[predicted][:LONGEST], color=color, fontsize=9, fontweight="bold")
