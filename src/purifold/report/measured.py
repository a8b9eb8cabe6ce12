"""The points of a figure that measures codes instead of answers, as JSON."""

import math
from typing import Any

import numpy as np

from purifold.engine.steps.codes import read_extent, read_shift
from purifold.engine.store import Store
from purifold.papers.exhibit import AccuracyFigure, CodesAt, CodesFigure, Exhibit


def measured(exhibit: Exhibit, store: Store) -> list[dict[str, Any]]:
    """For each panel its title and, by curve, its points; nothing for a figure made of records."""
    if isinstance(exhibit, AccuracyFigure):
        return []
    return [_panel(exhibit, place, store) for place in range(len(exhibit.panels))]


def _panel(exhibit: CodesFigure, place: int, store: Store) -> dict[str, Any]:
    panel = exhibit.panels[place]
    curves = {curve.label: [_point(point, store) for point in curve.points] for curve in panel.curves}
    return {"title": panel.title, "curves": curves}


def _point(point: CodesAt, store: Store) -> dict[str, Any]:
    """Means with half the width of their 95 % interval; infinite ratios are counted, not averaged."""
    cosine, ratio = read_shift(store.fetch(point.shift))
    extent = read_extent(store.fetch(point.codes))
    finite = ratio[np.isfinite(ratio)]
    return {
        "x": point.x,
        "cosine": _mean(cosine),
        "ratio": _mean(finite),
        "infinite": len(ratio) - len(finite),
        "attacked_images": len(ratio),
        "diameter": extent.diameter,
        "encoded_images": extent.images,
        "seed": point.codes.autoencoder.seed,
    }


def _mean(values: np.ndarray) -> list[float]:
    count = len(values)
    if count < 2:  # noqa: PLR2004
        return [float(values.mean()) if count else math.nan, math.nan]
    return [float(values.mean()), float(1.96 * values.std(ddof=1) / math.sqrt(count))]
