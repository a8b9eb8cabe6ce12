"""Figures of a paper, out of results."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from purifold.evaluation.curves import against_epsilon
from purifold.evaluation.record import Record
from purifold.papers.difference import DifferenceFigure
from purifold.papers.exhibit import (
    AccuracyFigure,
    BranchesFigure,
    CodesFigure,
    Drawing,
    PaceFigure,
    Panel,
    PicturesFigure,
    UnitsFigure,
)
from purifold.papers.refusals import CoverageFigure, ForgeryFigure, RefusalFigure, SamplesFigure
from purifold.report.axes import BARE, draw, explain, grid, label, shades, share_legend
from purifold.report.branches import branches
from purifold.report.differences import against_l2
from purifold.report.paces import against_seconds
from purifold.report.pictures import gallery
from purifold.report.refusal_figures import against_budget, coverage, forgeries, samples
from purifold.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CODES = {
    "cosine": "cosine(attacked, clean)",
    "ratio": "|attacked| / |clean|",
    "diameter": "diameter of the codes",
}
"""Rows of a figure of codes, with their y labels."""


def drawn(exhibit: Drawing, results: Results) -> "Figure":
    """The figure of an exhibit."""
    return DRAWN[type(exhibit)](exhibit, results)


def _pictures(exhibit: PicturesFigure, results: Results) -> "Figure":
    return gallery(results.galleries[exhibit.experiment.name])


def _paces(exhibit: PaceFigure, results: Results) -> "Figure":
    return against_seconds(exhibit, results.measurements[exhibit.name], results.records)


def _branches(exhibit: BranchesFigure, results: Results) -> "Figure":
    return branches(results.measurements[exhibit.name])


def _accuracy(exhibit: AccuracyFigure, results: Results) -> "Figure":
    figure, panels = grid(len(exhibit.panels), exhibit.columns)
    colors = shades([curve.label for panel in exhibit.panels for curve in panel.curves])
    for axes, panel in zip(panels, exhibit.panels, strict=True):
        _curves(axes, panel, exhibit.protocol, results, colors)
        norm = panel.curves[0].experiment.norm
        label(axes, panel.title, f"{norm} budget")
    for axes in panels[:: exhibit.columns]:
        axes.set_ylabel("accuracy")
    explain(panels[0], {"-": f"under {exhibit.protocol}", "--": "worst case over all attacks"})
    share_legend(figure, panels)
    return figure


def _curves(axes: "Axes", panel: Panel, protocol: str, results: Results, colors: Mapping[str, Any]) -> None:
    for curve in panel.curves:
        color = colors[curve.label]
        record = results.records[curve.experiment.name]
        draw(axes, against_epsilon(_adaptive(record), protocol), color=color, label=curve.label)
        draw(axes, against_epsilon(_adaptive(record)), color=color, label=None, style="--", band=False)


def _adaptive(record: Record) -> list[Any]:
    return [outcome for outcome in record.outcomes if outcome.knowledge == "adaptive"]


def _codes(exhibit: CodesFigure, results: Results) -> "Figure":
    found = results.measurements[exhibit.name]
    figure, panels = grid(len(CODES) * len(found), len(found))
    for row, (quantity, below) in enumerate(CODES.items()):
        for column, panel in enumerate(found):
            axes = panels[row * len(found) + column]
            for name, points in panel["curves"].items():
                _points(axes, quantity, name, points)
            axes.set(title=panel["title"] if row == 0 else "", xlabel=exhibit.xlabel)
            axes.ticklabel_format(useOffset=False)
            if column == 0:
                axes.set_ylabel(below)
    share_legend(figure, panels)
    return figure


def _points(axes: "Axes", quantity: str, name: str, points: Sequence[Mapping[str, Any]]) -> None:
    places = [point["x"] for point in points]
    if quantity == "diameter":
        axes.plot(places, [point[quantity] for point in points], marker="o", ms=3, label=name)
        return
    means, halves = zip(*(point[quantity] for point in points), strict=True)
    axes.errorbar(places, means, yerr=halves, marker="o", ms=3, lw=1.5, elinewidth=0.8, label=name)


def _units(exhibit: UnitsFigure, results: Results) -> "Figure":
    found = results.measurements[exhibit.name]
    figure, panels = grid(len(found), len(found))
    for axes, panel in zip(panels, found, strict=True):
        for above, (name, points) in enumerate(reversed(panel["curves"].items())):
            places = [point["x"] for point in points]
            # curves that coincide show as rims: the first is the broadest, and lies below the others
            width = 1.5 + 2 * above
            active = [point["active"] for point in points]
            axes.plot(places, active, marker="o", ms=3 + width, lw=width, zorder=2 - 0.1 * above, label=name)
        axes.plot(places, places, color=BARE, lw=0.8, ls=":", label="all units")
        axes.set(
            title=panel["title"], xlabel="latent size", ylabel="active units", xscale="log", yscale="log"
        )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(places, [str(place) for place in places], minor=False)
        axes.minorticks_off()
    share_legend(figure, panels)
    return figure


def _differences(exhibit: DifferenceFigure, results: Results) -> "Figure":
    return against_l2(exhibit, results.records)


DRAWN: Mapping[type, Callable[[Any, Results], "Figure"]] = {
    AccuracyFigure: _accuracy,
    PicturesFigure: _pictures,
    PaceFigure: _paces,
    BranchesFigure: _branches,
    CodesFigure: _codes,
    UnitsFigure: _units,
    RefusalFigure: against_budget,
    CoverageFigure: coverage,
    ForgeryFigure: forgeries,
    SamplesFigure: samples,
    DifferenceFigure: _differences,
}
