"""Axes, curves with bands, shared legends, and figures as bytes."""

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from purifold.evaluation.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = (3.1, 2.7)
"""Inches of one panel."""
COLUMNS = 3


def draw(
    axes: "Axes", curve: Curve, *, color: Any, label: str | None, style: str = "-", band: bool = True
) -> None:
    """A curve, with its 95 % interval as a band."""
    places = [point.x for point in curve]
    axes.plot(places, [point.y.value for point in curve], style, marker="o", ms=3, color=color, label=label)
    if band:
        low, high = zip(*(point.y.interval() for point in curve), strict=True)
        axes.fill_between(places, low, high, color=color, alpha=0.15, lw=0)


def svg(figure: "Figure") -> str:
    """The figure as SVG text, the same for the same figure."""
    import matplotlib as mpl

    out = io.StringIO()
    _lay_out(figure)
    with mpl.rc_context({"svg.hashsalt": "purifold", "svg.fonttype": "path"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def png(figure: "Figure") -> bytes:
    """The figure as a PNG file's bytes."""
    out = io.BytesIO()
    _lay_out(figure)
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()


def _lay_out(figure: "Figure") -> None:
    """Places the panels once, instead of at every drawing."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def label(axes: "Axes", title: str, below: str) -> None:
    """Title and x label of a panel whose y axis is an accuracy."""
    axes.set(title=title, xlabel=below, ylim=(-0.02, 1.02))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def grid(count: int, columns: int = COLUMNS) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, row by row."""
    from matplotlib.figure import Figure

    columns = min(count, columns)
    lines = math.ceil(count / columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * lines), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for spare in axes[count:]:
        spare.remove()
    for panel in axes[:count]:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25, lw=0.5)
        panel.tick_params(labelsize=8)
    return figure, axes[:count]


def share_legend(figure: "Figure", panels: "Sequence[Axes]") -> None:
    """One legend below all panels, and text sizes that suit them."""
    handles: dict[str, Any] = {}
    for panel in panels:
        panel.title.set_fontsize(9)
        panel.xaxis.label.set_fontsize(8)
        panel.yaxis.label.set_fontsize(8)
        handles |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(len(handles), 2 * COLUMNS),
        frameon=False,
        fontsize=8,
    )
