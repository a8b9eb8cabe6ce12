"""Tables of a study for the terminal and for Markdown."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from purifold.evaluation.curves import relative_l2
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Outcome, worst
from purifold.evaluation.record import Record
from purifold.report.lines import LADDER, Line, families, ladder, lines, named, percent, short

if TYPE_CHECKING:
    from rich.table import Table


def header(found: Sequence[Line]) -> list[str]:
    """Column titles of the main table."""
    return ["defense", "epsilon", "clean", *ladder(found), "worst case", "checks"]


def cells(line: Line, found: Sequence[Line], share: Callable[[Proportion], str] = percent) -> list[str]:
    """One line of the main table; shares in percent with their 95 % interval, as `share` writes them."""
    robust = [share(line.robust[level]) if level in line.robust else "" for level in ladder(found)]
    clean, worst = share(Proportion.of(line.clean)), share(Proportion.of(line.worst))
    budget = f"{line.epsilon:.4g}{' L2' if line.norm == 'l2' else ''}"
    return [line.defense, budget, clean, *robust, worst, line.checks]


def terminal(records: Sequence[Record], title: str) -> "Table":
    """The main table for a terminal."""
    from rich import box
    from rich.table import Table

    found = lines(records)
    table = Table(
        title=f"{title}; accuracy in percent", box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0)
    )
    table.add_column("defense", overflow="fold", min_width=8)
    for column in ["eps", *header(found)[2:-1]]:
        table.add_column(column, justify="right", no_wrap=True)
    if any(line.unreliable for line in found):
        table.caption = "* a sanity check failed: unreliable"
    for place, line in enumerate(found):
        last = place + 1 == len(found) or found[place + 1].defense != line.defense
        shown = cells(line, found, short)[:-1]
        if line.unreliable:
            shown[0] += " *"
        table.add_row(*shown, end_section=last, style="red" if line.unreliable else "")
    return table


def markdown(records: Sequence[Record]) -> str:
    """The main table in Markdown."""
    found = lines(records)
    return as_markdown(header(found), [cells(line, found) for line in found])


def by_attack(records: Sequence[Record]) -> str:
    """In Markdown, a line for each attack and budget: every defense by every knowledge side by side.

    The relative L2 difference is that of the oblivious images, which all defenses share.
    """
    outcomes = [outcome for record in records for outcome in record.outcomes]
    levels = [level for level in LADDER if any(outcome.knowledge == level for outcome in outcomes)]
    attacks = dict.fromkeys(
        (attack, outcome.threat.epsilon) for outcome in outcomes for attack in families(outcome)
    )
    columns = [(record, level) for record in records for level in levels]
    titles = ["attack", "epsilon", "relative L2", *(f"{named(record)}, {level}" for record, level in columns)]
    body = [
        [attack, f"{epsilon:.4g}", _difference(outcomes, attack, epsilon)]
        + [_share(record, level, attack, epsilon) for record, level in columns]
        for attack, epsilon in attacks
    ]
    return as_markdown(titles, body)


def _difference(outcomes: Sequence[Outcome], attack: str, epsilon: float) -> str:
    found = (
        f"{relative_l2(outcome, attack):.3f}"
        for outcome in outcomes
        if outcome.knowledge == "oblivious"
        and outcome.threat.epsilon == epsilon
        and attack in outcome.attacked
    )
    return next(found, "")


def _share(record: Record, level: str, attack: str, epsilon: float) -> str:
    """The worst case over the attack's surfaces (sampling off, averaged) and substitutes, image by image."""
    found = [
        outcome.together(attack)
        for outcome in record.outcomes
        if outcome.knowledge == level and outcome.threat.epsilon == epsilon and attack in families(outcome)
    ]
    return percent(Proportion.of(worst(found))) if found else ""


def as_markdown(titles: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    written = [titles, ["---"] * len(titles), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in written) + "\n"
