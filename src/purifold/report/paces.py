"""What defenses reach in how many seconds: a figure, and what fits into a limit."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from purifold.evaluation.intervals import Proportion
from purifold.evaluation.record import Record
from purifold.papers.exhibit import PaceFigure
from purifold.report.axes import grid, label, share_legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Found = Mapping[str, Any]
"""`purifold.engine.steps.pace.Paced` as JSON, with the name of its system."""
CLEAN = ""


def against_seconds(exhibit: PaceFigure, found: Sequence[Found], records: Mapping[str, Record]) -> "Figure":
    """Accuracy by attack, solid for what goes on step by step, dashed from where a single pass is done.

    Dotted: what is left by attackers who know the defense.
    """
    figure, (axes,) = grid(1)
    flat, *steps = found
    steps = sorted(steps, key=lambda pace: pace["seconds"])
    end = max(pace["seconds"] for pace in found)
    for place, attack in enumerate(flat["correct"]):
        color, name = f"C{place}", attack or "no attack"
        _curve(axes, steps, attack, color, name)
        level = accuracy(flat, attack).value
        axes.plot([flat["seconds"], end], [level, level], "--", color=color)
        axes.plot([flat["seconds"]], [level], "D", ms=4, color=color)
    for place, (name, experiment) in enumerate(exhibit.known):
        level = known(records[experiment.name]).value
        axes.axhline(level, ls=":", lw=1.5, color=("black", "grey")[place], label=name)
    for style, name in (("-", exhibit.iterative[0]), ("--", exhibit.flat[0])):
        axes.plot([], [], style, color="black", label=name)
    label(axes, "", f"seconds for {flat['images']} images")
    axes.set(xscale="log", ylabel="accuracy")
    axes.minorticks_off()
    share_legend(figure, [axes])
    return figure


def accuracy(pace: Found, attack: str) -> Proportion:
    """Share of images that were right under an attack, "" for none."""
    return Proportion(int(pace["correct"][attack]), int(pace["images"]))


def known(record: Record) -> Proportion:
    """Images that survive all attackers who know the defense, at the record's only budget."""
    (outcome,) = (outcome for outcome in record.outcomes if outcome.knowledge == "adaptive")
    return outcome.robust_accuracy()


def longest(paces: Sequence[Found], seconds: float) -> Found | None:
    """The pace that takes longest of those that take no more than `seconds`; None where all take more."""
    fitting = [pace for pace in paces if pace["seconds"] <= seconds]
    return max(fitting, key=lambda pace: pace["seconds"], default=None)


def _curve(axes: "Axes", steps: Sequence[Found], attack: str, color: str, name: str) -> None:
    places = [pace["seconds"] for pace in steps]
    shares = [accuracy(pace, attack) for pace in steps]
    axes.plot(places, [share.value for share in shares], marker="o", ms=3, color=color, label=name)
    low, high = zip(*(share.interval() for share in shares), strict=True)
    axes.fill_between(places, low, high, color=color, alpha=0.1, lw=0)
