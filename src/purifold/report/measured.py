"""The points of a figure or table that is made of measurements instead of records, as JSON."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from purifold.engine.steps.branches import Branches, read_branches
from purifold.engine.steps.codes import read_extent, read_shift
from purifold.engine.steps.pace import Pace, read_pace
from purifold.engine.steps.timing import read_times
from purifold.engine.store import Store
from purifold.papers.exhibit import (
    BranchesFigure,
    CodesAt,
    CodesFigure,
    CodesPanel,
    Exhibit,
    PaceFigure,
    UnitsAt,
    UnitsFigure,
    UnitsPanel,
)
from purifold.papers.refusals import (
    AlarmsTable,
    CoverageFigure,
    ForgeryFigure,
    FrechetTable,
    RefusalTable,
    SamplesFigure,
    SecondLookTable,
    SoughtTable,
)
from purifold.papers.table import LimitTable, PrintedTable, SecondsTable, Timed
from purifold.report import measured_refusals as refusals
from purifold.report.packed import packed


def measured(exhibit: Exhibit, store: Store) -> list[dict[str, Any]]:
    """For each panel its title and its points by curve, or each row; nothing for what is made of records."""
    found = MEASURED.get(type(exhibit))
    return [] if found is None else found(exhibit, store)


def _codes_figure(exhibit: CodesFigure, store: Store) -> list[dict[str, Any]]:
    return [_codes(panel, store) for panel in exhibit.panels]


def _units_figure(exhibit: UnitsFigure, store: Store) -> list[dict[str, Any]]:
    return [_units(panel, store) for panel in exhibit.panels]


def _seconds_table(exhibit: SecondsTable, store: Store) -> list[dict[str, Any]]:
    return [_seconds(row, store) for row in exhibit.rows]


def _printed_table(exhibit: PrintedTable, store: Store) -> list[dict[str, Any]]:
    """For each section the paces by defense."""
    return [
        {
            "title": title,
            "paces": {cell.defense: _pace(cell.pace, store) for cell in cells if not cell.attack},
        }
        for title, cells in exhibit.sections
    ]


def _branches_figure(exhibit: BranchesFigure, store: Store) -> list[dict[str, Any]]:
    return [{"name": name, **_branches(row, store)} for name, row in exhibit.rows]


def _pace_figure(exhibit: PaceFigure, store: Store) -> list[dict[str, Any]]:
    return [_pace(pace, store) for pace in (exhibit.flat[1], *exhibit.iterative[1])]


def _limit_table(exhibit: LimitTable, store: Store) -> list[dict[str, Any]]:
    return [
        {"defense": row.defense, "paces": [_pace(pace, store) for pace in row.paces]} for row in exhibit.rows
    ]


def _seconds(row: Timed, store: Store) -> dict[str, Any]:
    times = read_times(store.fetch(row.timing))
    return {"defense": row.defense, "printed": row.printed, **asdict(times)}


def _pace(pace: Pace, store: Store) -> dict[str, Any]:
    return {"system": pace.system.defense, "seed": pace.seed, **asdict(read_pace(store.fetch(pace)))}


def _branches(row: Branches, store: Store) -> dict[str, Any]:
    seen = asdict(read_branches(store.fetch(row)))
    return seen | {name: packed(seen[name]) for name in ("image", "branches")}


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


MEASURED: Mapping[type, Callable[[Any, Store], list[dict[str, Any]]]] = {
    CodesFigure: _codes_figure,
    UnitsFigure: _units_figure,
    SecondsTable: _seconds_table,
    PrintedTable: _printed_table,
    BranchesFigure: _branches_figure,
    PaceFigure: _pace_figure,
    LimitTable: _limit_table,
    RefusalTable: refusals.of_refusals,
    SecondLookTable: refusals.of_second_looks,
    SoughtTable: refusals.of_sought,
    CoverageFigure: refusals.of_coverage,
    ForgeryFigure: refusals.of_forgeries,
    SamplesFigure: refusals.of_samples,
    AlarmsTable: refusals.of_alarms,
    FrechetTable: refusals.of_frechet,
}
