"""Figures of systems that may refuse, out of results."""

from typing import TYPE_CHECKING

from purifold.evaluation.curves import Point
from purifold.papers.refusals import CoverageFigure, ForgeryFigure, RefusalFigure, SamplesFigure
from purifold.report.axes import draw, grid, label, share_legend
from purifold.report.packed import unpacked
from purifold.report.refusals import by_budget, decided, known_alone, mark, mistaken
from purifold.report.results import Results

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {"accuracy": "#2f6fb3", "error": "#b3402f", "rejection": "#8a94a6"}
PICTURE = 0.62
"""Inches."""
MARGIN, ABOVE = 0.9, 0.25
"""Inches of text before a row of pictures, and above the first."""
TITLE, GAP = 0.26, 0.04
"""Inches between rows of pictures with titles, and without."""
HEADROOM, LEAST = 1.35, 0.005
"""Of a panel for its legend, and the smallest risk at its top."""


def against_budget(exhibit: RefusalFigure, results: Results) -> "Figure":
    """Solid: by the attack of the paper, on the classifier alone. Dashed: the worst of all that was tried."""
    figure, panels = grid(len(exhibit.panels))
    for axes, (title, experiment) in zip(panels, exhibit.panels, strict=True):
        record = results.records[experiment.name]
        oblivious = [each for _, (each,) in by_budget(known_alone(record))]
        for name, color in COLORS.items():
            points = tuple(
                Point(each.threat.epsilon, decided(each, exhibit.protocol)[name]) for each in oblivious
            )
            draw(axes, points, color=color, label=f"{name}, {exhibit.protocol} on the classifier")
        worst = tuple(Point(threat.epsilon, mistaken(tried)) for threat, tried in by_budget(record.outcomes))
        draw(axes, worst, color=COLORS["error"], label="error, all known, worst case", style="--")
        if exhibit.ceiling is not None:
            axes.axhline(
                exhibit.ceiling,
                color="black",
                lw=0.8,
                ls=":",
                label="largest error in the paper, supervised, fgsm",
            )
        label(axes, title + mark(record), f"{experiment.norm} budget")
    panels[0].set_ylabel("share of images", fontsize=8)
    share_legend(figure, panels)
    return figure


def coverage(exhibit: CoverageFigure, results: Results) -> "Figure":
    """Risk against coverage; the areas stand in the panels' own legends."""
    found = results.measurements[exhibit.name]
    figure, panels = grid(len(found))
    for axes, panel in zip(panels, found, strict=True):
        for name, curve in panel["curves"].items():
            text = f"{name}: area {100 * curve['area']:.3g} %"
            alike = len(set(curve["coverage"])) == 1  # all accepted together: a point is no line
            axes.plot(curve["coverage"], curve["risk"], "o" if alike else "-", lw=1.5, ms=4, label=text)
        count = max(curve["images"] for curve in panel["curves"].values())
        axes.set_title(f"{panel['title']} ({count} images)", fontsize=8)
        axes.set_xlabel("coverage", fontsize=8)
        axes.set(xlim=(0, 1.01), ylim=(0, HEADROOM * max(axes.get_ylim()[1], LEAST)))
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 1])
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axes.legend(loc="upper left", fontsize=6, frameon=False)
    panels[0].set_ylabel("error of what is accepted", fontsize=8)
    figure.tight_layout()
    return figure


def forgeries(exhibit: ForgeryFigure, results: Results) -> "Figure":
    """Three lines a row: what was started from, the forgery, and what it decodes to."""
    found = results.measurements[exhibit.name]
    columns = max(len(row["targets"]) for row in found)
    figure, lines = _pictures(3 * len(found), columns, TITLE)
    for place, row in enumerate(found):
        for line, name in zip(lines[3 * place :], ("images", "forged", "decoded"), strict=False):
            for axes, picture in zip(line, unpacked(row[name]), strict=False):
                _show(axes, picture)
            _name(line[0], f"{row['label']}\n{name}" if name == "images" else name)
        for axes, target, answer in zip(lines[3 * place], row["targets"], row["answers"], strict=False):
            axes.set_title(f"for {target}\n{'rejected' if answer < 0 else f'seen as {answer}'}", fontsize=5)
    return figure


def samples(exhibit: SamplesFigure, results: Results) -> "Figure":
    """A line a class."""
    found = results.measurements[exhibit.name]
    blocks = [unpacked(block["images"]) for block in found]
    rows = sum(len(block) for block in blocks)
    figure, lines = _pictures(rows, max(block.shape[1] for block in blocks), GAP)
    place = 0
    for block, row in zip(blocks, found, strict=True):
        for label_, pictures in enumerate(block):
            for axes, picture in zip(lines[place], pictures, strict=False):
                _show(axes, picture)
            _name(lines[place][0], f"{row['title']}\nclass {label_}" if label_ == 0 else f"class {label_}")
            place += 1
    return figure


def _pictures(rows: int, columns: int, between: float) -> "tuple[Figure, np.ndarray]":
    from matplotlib.figure import Figure

    size = (MARGIN + PICTURE * columns, ABOVE + (PICTURE + between) * rows)
    figure = Figure(figsize=size)
    lines = figure.subplots(rows, columns, squeeze=False)
    figure.subplots_adjust(
        left=MARGIN / size[0],
        right=0.995,
        top=1 - ABOVE / size[1],
        bottom=0.01,
        wspace=0.06,
        hspace=between / PICTURE,
    )
    for axes in lines.flat:
        axes.set_axis_off()
    return figure, lines


def _show(axes: "Axes", picture: "np.ndarray") -> None:
    axes.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _name(axes: "Axes", text: str) -> None:
    axes.text(-0.1, 0.5, text, transform=axes.transAxes, ha="right", va="center", fontsize=6)
