"""One attacked image under every class, a row for each autoencoder."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from purifold.report.packed import unpacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHOSEN = "#2f6fb3"
SUBMITTED = "#c9a227"
PICTURE, TEXT = 0.62, 2.7
"""Inches of a picture, and of the text before a row."""


def branches(found: Sequence[Mapping[str, Any]]) -> "Figure":
    """The image as submitted, framed, its reconstruction under each class, the nearest framed, and shares."""
    from matplotlib.figure import Figure

    classes = len(unpacked(found[0]["branches"]))
    size = (TEXT + PICTURE * (classes + 1), (PICTURE + 0.06) * len(found) + 0.25)
    figure = Figure(figsize=size)
    lines = figure.subplots(len(found), classes + 1, squeeze=False)
    figure.subplots_adjust(
        left=TEXT / size[0], right=0.998, top=1 - 0.25 / size[1], bottom=0.02, wspace=0.06, hspace=0.06
    )
    for column, axes in enumerate(lines[0]):
        axes.set_title("attacked" if column == 0 else f"as {column - 1}", fontsize=7)
    for line, row in zip(lines, found, strict=True):
        _row(line, row)
    return figure


def _row(line: "np.ndarray", row: Mapping[str, Any]) -> None:
    _show(line[0], unpacked(row["image"]), SUBMITTED)
    for place, picture in enumerate(unpacked(row["branches"])):
        _show(line[1 + place], picture, CHOSEN if place == row["nearest"] else None)
    shares = {name: 100 * row[name] / row["images"] for name in ("clean", "correct", "known")}
    text = (
        f"{row['name']}\nclean {shares['clean']:.1f} %, attacked {shares['correct']:.1f} %, "
        f"knowing {shares['known']:.1f} %"
    )
    line[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7)


def _show(axes: "Axes", picture: np.ndarray, frame: str | None) -> None:
    axes.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=frame is not None, edgecolor=frame or "none", linewidth=2)
