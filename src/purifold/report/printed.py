"""The numbers that a paper prints, beside ours at the same relative L2 difference."""

from pathlib import Path

import numpy as np

from purifold.evaluation.curves import against_relative_l2
from purifold.evaluation.record import Record
from purifold.papers.base import Paper, Printed
from purifold.report.lines import families, named
from purifold.report.results import Results
from purifold.storage import write_bytes

LEVELS = ("oblivious", "adaptive")
TITLES = ("attack", "relative L2", "defense", "printed", "ours, oblivious", "difference", "ours, adaptive")


def beside_printed(paper: Paper, results: Results, folder: Path) -> None:
    """Writes `printed.md`: printed numbers, if any, ours along our curve, and the adaptive ones."""
    records = {str(record.defense["name"]): record for record in results.records.values()}
    cells = paper.printed()
    if not cells:
        return
    rows = [_row(cell, records[cell.defense]) for cell in cells]
    written = [TITLES, ("---",) * len(TITLES), *rows]
    page = folder / "printed.md"
    text = "\n".join("| " + " | ".join(row) + " |" for row in written)
    write_bytes(page, f"# {paper.title}\n\nAccuracy in percent on {_count(results)}.\n\n{text}\n".encode())


def _row(cell: Printed, record: Record) -> tuple[str, ...]:
    ours = {level: _at(record, level, cell.attack, cell.relative_l2) for level in LEVELS}
    oblivious, adaptive = ours["oblivious"], ours["adaptive"]
    difference = "" if oblivious is None else f"{100 * (oblivious - cell.accuracy):+.1f}"
    place = (cell.attack, f"{cell.relative_l2:.3f}", named(record), f"{100 * cell.accuracy:.1f}")
    return (*place, _share(oblivious), difference, _share(adaptive))


def _at(record: Record, level: str, attack: str, relative_l2: float) -> float | None:
    """Accuracy at a relative L2 difference, linear between our budgets; None beyond them."""
    outcomes = [
        outcome for outcome in record.outcomes if outcome.knowledge == level and attack in families(outcome)
    ]
    if not outcomes:
        return None
    curve = against_relative_l2(outcomes, attack)
    places, shares = [point.x for point in curve], [point.y.value for point in curve]
    return float(np.interp(relative_l2, places, shares)) if places[0] <= relative_l2 <= places[-1] else None


def _share(found: float | None) -> str:
    return "" if found is None else f"{100 * found:.1f}"


def _count(results: Results) -> str:
    data = next(iter(results.records.values())).data
    return f"the first {data['count']} images of {data['name']}/{data['part']}"
