"""Accuracy against the mean relative L2 difference: curves, and ours where a paper prints numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from purifold.evaluation.curves import Curve, against_relative_l2, as_printed
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.record import Record
from purifold.papers.difference import DifferenceFigure, DifferencePanel, DifferenceTable
from purifold.report.axes import draw, explain, grid, label, shades, share_legend
from purifold.report.lines import UNRELIABLE, bracketed, families, less_printed, percent
from purifold.report.listed import Listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLES = {"oblivious": "-", "adaptive": "--"}
MEANINGS = {"oblivious": "defense unknown, 95 % band", "adaptive": "defense known"}
HEADER = [
    "relative L2",
    "printed",
    "ours, counted as printed",
    "difference",
    "ours, oblivious",
    "ours, adaptive",
]


@final
@dataclass(frozen=True)
class Between:
    """A share of images between two budgets, and bounds that are linear between theirs.

    A mean of two shares is at least as certain as the mean of their 95 % intervals says.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return bracketed(self.value, self.low, self.high)


def at_difference(record: Record, level: str, attack: str, relative_l2: float) -> Between | None:
    """Share of images kept at a relative L2 difference, linear between our budgets; None beyond them.

    Args:
        record: Of one system.
        level: What the attacker knows.
        attack: The worst case over the surfaces that it was tried on.
        relative_l2: Mean over the images.
    """
    outcomes = _under(record, level, attack)
    if not outcomes:
        return None
    return _between(against_relative_l2(outcomes, attack), relative_l2)


def _between(curve: Curve, relative_l2: float) -> Between | None:
    places = [point.x for point in curve]
    if not places[0] <= relative_l2 <= places[-1]:
        return None
    shares = [(point.y.value, *point.y.interval()) for point in curve]
    return Between(*(float(np.interp(relative_l2, places, each)) for each in zip(*shares, strict=True)))


def against_printed(exhibit: DifferenceTable, records: Mapping[str, Record]) -> list[Listed]:
    """For each defense the paper's numbers and ours; ours alone where the paper lacks the defense."""
    return [
        Listed(
            f"{name}, {_images(records[system.name])}"
            + (UNRELIABLE if records[system.name].unreliable else ""),
            HEADER,
            [
                _row(records[system.name], exhibit.attack, relative_l2, shares.get(name))
                for relative_l2, shares in exhibit.printed.items()
            ],
        )
        for name, system in exhibit.systems.items()
    ]


def against_l2(exhibit: DifferenceFigure, records: Mapping[str, Record]) -> "Figure":
    """The figure: a colour a defense, the bare classifier grey."""
    figure, panels = grid(len(exhibit.panels), exhibit.columns)
    colors = shades(curve.label for drawn in exhibit.panels for curve in drawn.panel.curves)
    for axes, drawn in zip(panels, exhibit.panels, strict=True):
        _panel(axes, drawn, records, colors)
    for axes in panels[:: exhibit.columns]:
        axes.set_ylabel("accuracy")
    explain(panels[-1], {style: MEANINGS[level] for level, style in STYLES.items()})
    share_legend(figure, panels)
    return figure


def _panel(
    axes: "Axes", drawn: DifferencePanel, records: Mapping[str, Record], colors: Mapping[str, object]
) -> None:
    for curve in drawn.panel.curves:
        record = records[curve.experiment.name]
        for level, style in STYLES.items():
            oblivious = level == "oblivious"
            draw(
                axes,
                against_relative_l2(_under(record, level, drawn.attack), drawn.attack),
                color=colors[curve.label],
                label=curve.label if oblivious else None,
                style=style,
                band=oblivious,
            )
    label(axes, drawn.panel.title, "mean relative L2 difference")


def beside(printed: float | None, ours: Between | None) -> list[str]:
    """Cells of a printed share, of ours and of their difference; empty for what is not known."""
    return [
        "" if printed is None else f"{100 * printed:.1f}",
        "" if ours is None else str(ours),
        "" if printed is None or ours is None else less_printed(ours.value, ours.high, printed),
    ]


def _row(record: Record, attack: str, relative_l2: float, printed: float | None) -> list[str]:
    """Printed and ours; where the attacker who knows needs less, what he leaves at his largest budget."""
    alike = _between(as_printed(_under(record, "oblivious", attack), attack), relative_l2)
    oblivious, adaptive = (at_difference(record, level, attack, relative_l2) for level in STYLES)
    known = "" if adaptive is None else str(adaptive)
    if oblivious is not None and adaptive is None:
        last = against_relative_l2(_under(record, "adaptive", attack), attack)[-1]
        known = f"{percent(last.y)} at {last.x:.3f}"
    return [
        f"{relative_l2:.3f}",
        *beside(printed, alike),
        "" if oblivious is None else str(oblivious),
        known,
    ]


def _images(record: Record) -> str:
    count = record.data["count"]
    if not record.wide:
        return f"{count} images"
    return f"{len(record.wide[0])} images, {count} of them by attackers who know the defense"


def _under(record: Record, level: str, attack: str) -> list[Outcome]:
    held = record.wide if record.wide and level == "oblivious" else record.outcomes
    return [outcome for outcome in held if outcome.knowledge == level and attack in families(outcome)]
