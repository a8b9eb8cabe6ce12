"""The points of a figure that measures codes instead of answers, as JSON."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from purifold.engine.steps.codes import read_extent, read_shift
from purifold.engine.steps.timing import read_times
from purifold.engine.store import Store
from purifold.papers.exhibit import (
    CodesAt,
    CodesFigure,
    CodesPanel,
    Exhibit,
    UnitsAt,
    UnitsFigure,
    UnitsPanel,
)
from purifold.papers.table import SecondsTable, Timed


def measured(exhibit: Exhibit, store: Store) -> list[dict[str, Any]]:
    """For each panel its title and its points by curve, or each row; nothing for what is made of records."""
    if isinstance(exhibit, CodesFigure):
        return [_codes(panel, store) for panel in exhibit.panels]
    if isinstance(exhibit, UnitsFigure):
        return [_units(panel, store) for panel in exhibit.panels]
    if isinstance(exhibit, SecondsTable):
        return [_seconds(row, store) for row in exhibit.rows]
    return []


def _seconds(row: Timed, store: Store) -> dict[str, Any]:
    times = read_times(store.fetch(row.timing))
    return {"defense": row.defense, "printed": row.printed, **asdict(times)}


def _codes(panel: CodesPanel, store: Store) -> dict[str, Any]:
    curves = {curve.label: [_point(point, store) for point in curve.points] for curve in panel.curves}
    return {"title": panel.title, "curves": curves}


def _units(panel: UnitsPanel, store: Store) -> dict[str, Any]:
    curves = {label: [_active(point, store) for point in points] for label, points in panel.curves}
    return {"title": panel.title, "curves": curves}


def _active(point: UnitsAt, store: Store) -> dict[str, Any]:
    extent = read_extent(store.fetch(point.codes))
    return {
        "x": point.latent,
        "active": extent.active,
        "variances": [float(f"{variance:.4g}") for variance in extent.variances],
        "encoded_images": extent.images,
        "seed": point.codes.autoencoder.seed,
    }


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
