"""Figures of a study. Each function returns a matplotlib figure; `svg` and `png` turn one into bytes."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from purifold.evaluation.curves import Curve, against_epsilon, against_relative_l2
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.record import Record
from purifold.report.lines import LADDER, families, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {"oblivious": "#8a94a6", "transfer": "#4e79a7", "scores": "#e3a13b", "adaptive": "#c2362f"}
PANEL = (3.1, 2.7)
"""Inches of one panel."""
COLUMNS = 3


def against_budget(records: Sequence[Record]) -> "Figure":
    """Robust accuracy against epsilon, worst case over attacks: a panel a defense, a curve a knowledge."""
    figure, panels = _grid(len(records))
    for axes, record in zip(panels, records, strict=True):
        _budget_panel(axes, record)
    _share_legend(figure, panels)
    return figure


def against_difference(records: Sequence[Record], attack: str) -> "Figure":
    """Accuracy under one attack against the relative L2 difference: a panel a defense (patch-vae, Fig. 2)."""
    figure, panels = _grid(len(records))
    for axes, record in zip(panels, records, strict=True):
        for level in LADDER:
            outcomes = [outcome for outcome in _of(record, level) if attack in families(outcome)]
            if outcomes:
                _draw(axes, against_relative_l2(outcomes, attack), level)
        _label(axes, named(record), "mean relative L2 difference")
    _share_legend(figure, panels)
    return figure


def trainings(histories: Mapping[str, Mapping[str, Any]]) -> "Figure":
    """Training and validation loss against the epoch: a panel a training."""
    figure, panels = _grid(len(histories))
    for axes, (name, history) in zip(panels, histories.items(), strict=True):
        epochs = range(1, len(history["train_loss"]) + 1)
        axes.plot(epochs, history["train_loss"], color="#4e79a7", label="training")
        if history["validation_loss"]:
            axes.plot(epochs, history["validation_loss"], color="#e3a13b", label="validation")
        axes.set(title=name.removeprefix("train "), xlabel="epoch", ylabel="loss an image")
        axes.set_yscale("log")
    _share_legend(figure, panels)
    return figure


def svg(figure: "Figure") -> str:
    """The figure as SVG text, the same for the same figure."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "purifold", "svg.fonttype": "path"}):
        figure.savefig(out, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return out.getvalue()


def png(figure: "Figure") -> bytes:
    """The figure as a PNG file's bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    return out.getvalue()


def _budget_panel(axes: "Axes", record: Record) -> None:
    for level in LADDER:
        outcomes = _of(record, level)
        if outcomes:
            _draw(axes, against_epsilon(outcomes), level)
    norm = record.outcomes[0].threat.norm
    _label(axes, named(record), f"{norm} budget")


def _of(record: Record, level: str) -> list[Outcome]:
    return [outcome for outcome in record.outcomes if outcome.knowledge == level]


def _draw(axes: "Axes", curve: Curve, level: str) -> None:
    places = [point.x for point in curve]
    bounds = [point.y.interval() for point in curve]
    axes.plot(places, [point.y.value for point in curve], marker="o", ms=3, color=COLORS[level], label=level)
    axes.fill_between(
        places,
        [low for low, _ in bounds],
        [high for _, high in bounds],
        color=COLORS[level],
        alpha=0.18,
        lw=0,
    )


def _label(axes: "Axes", title: str, below: str) -> None:
    axes.set(title=title, xlabel=below, ylim=(-0.02, 1.02))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _grid(count: int) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    columns = min(count, COLUMNS)
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


def _share_legend(figure: "Figure", panels: "Sequence[Axes]") -> None:
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
        ncols=len(handles),
        frameon=False,
        fontsize=8,
    )
