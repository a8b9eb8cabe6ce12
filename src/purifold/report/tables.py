"""Tables of a study for the terminal and for Markdown."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from purifold.evaluation.intervals import Proportion
from purifold.evaluation.record import Record
from purifold.evaluation.summary import Row, rows
from purifold.report.lines import Line, ladder, lines, percent, short

if TYPE_CHECKING:
    from rich.table import Table


def header(found: Sequence[Line]) -> list[str]:
    """Column titles of the main table."""
    return ["defense", "epsilon", "clean", *ladder(found), "worst case", "checks"]


def cells(line: Line, found: Sequence[Line], share: Callable[[Proportion], str] = percent) -> list[str]:
    """One line of the main table; shares in percent with their 95 % interval, as `share` writes them."""
    robust = [share(line.robust[level]) if level in line.robust else "" for level in ladder(found)]
    worst = share(Proportion.of(line.worst))
    verdict = "failed" if line.unreliable else "passed"
    return [line.defense, f"{line.epsilon:.4g}", share(line.clean), *robust, worst, verdict]


def terminal(records: Sequence[Record], title: str) -> "Table":
    """The main table for a terminal."""
    from rich import box
    from rich.table import Table

    found = lines(records)
    table = Table(
        title=f"{title}; accuracy in percent", box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0)
    )
    table.add_column("defense", overflow="fold")
    for column in header(found)[1:-1]:
        table.add_column(column, justify="right", no_wrap=True)
    for place, line in enumerate(found):
        last = place + 1 == len(found) or found[place + 1].defense != line.defense
        shown = cells(line, found, short)[:-1]
        if line.unreliable:
            shown[0] += " (unreliable)"
        table.add_row(*shown, end_section=last, style="red" if line.unreliable else "")
    return table


def markdown(records: Sequence[Record]) -> str:
    """The main table in Markdown."""
    found = lines(records)
    return _markdown(header(found), [cells(line, found) for line in found])


def by_attack(records: Sequence[Record]) -> str:
    """In Markdown, a line for each attack and budget: every defense, oblivious beside adaptive.

    The relative L2 difference is that of the oblivious images, which all defenses share.
    """
    found = [row for record in records for row in rows(record)]
    defenses = list(dict.fromkeys(row.defense for row in found))
    levels = [level for level in ("oblivious", "adaptive") if any(row.knowledge == level for row in found)]
    attacks = dict.fromkeys((row.attack, row.epsilon) for row in found if row.knowledge == "oblivious")
    titles = [
        "attack",
        "epsilon",
        "relative L2",
        *(f"{name}, {level}" for name in defenses for level in levels),
    ]
    body = []
    for attack, epsilon in attacks:
        here = [row for row in found if row.epsilon == epsilon and row.attack.partition("+")[0] == attack]
        distance = next((row.relative_l2 for row in here if row.knowledge == "oblivious"), None)
        shares = [_strongest(here, name, level) for name in defenses for level in levels]
        body.append([attack, f"{epsilon:.4g}", "" if distance is None else f"{distance:.3f}", *shares])
    return _markdown(titles, body)


def _strongest(found: Sequence[Row], defense: str, knowledge: str) -> str:
    """The lowest accuracy among an attack's surfaces (sampling off, averaged over draws)."""
    here = [row.accuracy for row in found if row.defense == defense and row.knowledge == knowledge]
    return percent(min(here, key=lambda share: share.value)) if here else ""


def _markdown(titles: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    written = [titles, ["---"] * len(titles), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in written) + "\n"
