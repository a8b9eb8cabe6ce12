"""Axes, curves with bands, shared legends, and figures as bytes."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from purifold.evaluation.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = (3.1, 2.7)
"""Inches of one panel with its texts."""
LEFT, RIGHT, BOTTOM, TOP = 0.66, 0.08, 0.5, 0.42
"""Inches of a panel around its axes. Fixed: measuring all texts takes longer than drawing them."""
COLUMNS = 3
BARE = "#8a94a6"
"""Of the bare classifier."""
LINE, HANDLE, LETTER = 0.19, 0.5, 0.062
"""Inches of the legend: the height of a line, the width of a curve's sign, that of a letter."""


def draw(
    axes: "Axes", curve: Curve, *, color: Any, label: str | None, style: str = "-", band: bool = True
) -> None:
    """A curve, with its 95 % interval as a band."""
    places = [point.x for point in curve]
    axes.plot(places, [point.y.value for point in curve], style, marker="o", ms=3, color=color, label=label)
    if band:
        low, high = zip(*(point.y.interval() for point in curve), strict=True)
        axes.fill_between(places, low, high, color=color, alpha=0.15, lw=0)


def shades(labels: Iterable[str]) -> dict[str, Any]:
    """Colours by label, for all panels of a figure: grey for the first, the bare classifier."""
    import matplotlib as mpl

    first, *others = dict.fromkeys(labels)
    span = max(1, len(others) - 1)
    rainbow = mpl.colormaps["turbo"]
    return {first: BARE} | {name: rainbow(0.05 + 0.9 * place / span) for place, name in enumerate(others)}


def explain(axes: "Axes", styles: Mapping[str, str]) -> None:
    """Entries of the legend that say what a style of line means, whatever its colour."""
    for style, meaning in styles.items():
        axes.plot([], [], style, color="black", label=meaning)


def svg(figure: "Figure") -> str:
    """The figure as SVG text, the same for the same figure."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "purifold", "svg.fonttype": "path"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def png(figure: "Figure") -> bytes:
    """The figure as a PNG file's bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()


def label(axes: "Axes", title: str, below: str) -> None:
    """Title and x label of a panel whose y axis is an accuracy."""
    axes.set(title=title, xlabel=below, ylim=(-0.02, 1.02))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def grid(count: int, columns: int = COLUMNS) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, row by row."""
    from matplotlib.figure import Figure

    columns = min(count, columns)
    lines = math.ceil(count / columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * lines))
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for spare in axes[count:]:
        spare.remove()
    for panel in axes[:count]:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25, lw=0.5)
        panel.tick_params(labelsize=8)
        panel.locator_params(axis="x", nbins=5)
    return figure, axes[:count]


def share_legend(figure: "Figure", panels: "Sequence[Axes]") -> None:
    """One legend below all panels, which are placed above it, and text sizes that suit them."""
    handles: dict[str, Any] = {}
    for panel in panels:
        panel.title.set_fontsize(9)
        panel.xaxis.label.set_fontsize(8)
        panel.yaxis.label.set_fontsize(8)
        handles |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    longest = max(map(len, handles), default=0)
    fitting = int(figure.get_figwidth() / (HANDLE + LETTER * longest))
    columns = max(1, min(len(handles), fitting))
    _place(figure, LINE * (1 + math.ceil(len(handles) / columns)))
    figure.legend(
        list(handles.values()), list(handles), loc="lower center", ncols=columns, frameon=False, fontsize=8
    )


def _place(figure: "Figure", below: float) -> None:
    """Room of so many inches below the panels, and inches of fixed size around each."""
    width, height = figure.get_size_inches()
    height += below
    figure.set_size_inches(width, height)
    figure.subplots_adjust(
        left=LEFT / width,
        right=1 - RIGHT / width,
        bottom=(below + BOTTOM) / height,
        top=1 - TOP / height,
        wspace=(LEFT + RIGHT) / (PANEL[0] - LEFT - RIGHT),
        hspace=(BOTTOM + TOP) / (PANEL[1] - BOTTOM - TOP),
    )
