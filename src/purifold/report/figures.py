"""Figures of defenses one by one. Each function returns a matplotlib figure."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from purifold.evaluation.curves import against_epsilon, against_relative_l2
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.record import Record
from purifold.evaluation.surface import Knowledge
from purifold.report.axes import draw, grid, label, share_legend
from purifold.report.lines import LADDER, families, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = 42
"""Letters of a panel's title in one line."""
COLORS = {"oblivious": "#8a94a6", "transfer": "#4e79a7", "scores": "#e3a13b", "adaptive": "#c2362f"}


def against_budget(records: Sequence[Record]) -> "Figure":
    """Robust accuracy against epsilon, worst case over attacks: a panel a defense, a curve a knowledge."""
    figure, panels = grid(len(records))
    for axes, record in zip(panels, records, strict=True):
        _budget_panel(axes, record)
    share_legend(figure, panels)
    return figure


def against_difference(records: Sequence[Record], attack: str) -> "Figure":
    """Accuracy under one attack against the relative L2 difference: a panel a defense (patch-vae, Fig. 2)."""
    figure, panels = grid(len(records))
    for axes, record in zip(panels, records, strict=True):
        for level, attacker, outcomes in _attackers(record):
            here = [outcome for outcome in outcomes if attack in families(outcome)]
            if here:
                draw(axes, against_relative_l2(here, attack), color=COLORS[level], label=attacker)
        label(axes, named(record), "mean relative L2 difference")
    share_legend(figure, panels)
    return figure


def trainings(histories: Mapping[str, Mapping[str, Any]]) -> "Figure":
    """Training and validation loss against the epoch: a panel a training."""
    from matplotlib.ticker import LogFormatter

    figure, panels = grid(len(histories))
    for axes, (name, history) in zip(panels, histories.items(), strict=True):
        epochs = range(1, len(history["train_loss"]) + 1)
        axes.plot(epochs, history["train_loss"], color="#4e79a7", label="training")
        if history["validation_loss"]:
            axes.plot(epochs, history["validation_loss"], color="#e3a13b", label="validation")
        axes.set(title=fill(name.removeprefix("train "), TITLE), xlabel="epoch", ylabel="loss an image")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(LogFormatter())  # 120 instead of 1.2 x 10^2, and few of them
        axes.tick_params(which="minor", labelsize=8)
    share_legend(figure, panels)
    return figure


def _budget_panel(axes: "Axes", record: Record) -> None:
    for level, attacker, outcomes in _attackers(record):
        draw(axes, against_epsilon(outcomes), color=COLORS[level], label=attacker)
    norm = record.outcomes[0].threat.norm
    label(axes, named(record), f"{norm} budget")


def _attackers(record: Record) -> Iterator[tuple[Knowledge, str, list[Outcome]]]:
    """Knowledge, legend and outcomes of each attacker; those who transfer differ by their substitute."""
    for level in LADDER:
        outcomes = [outcome for outcome in record.outcomes if outcome.knowledge == level]
        for substitute in dict.fromkeys(outcome.substitute for outcome in outcomes):
            name = f"{level} from {substitute}" if substitute else level
            yield level, name, [outcome for outcome in outcomes if outcome.substitute == substitute]
