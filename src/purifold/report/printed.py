"""The numbers that a paper prints, beside ours at the same relative L2 difference."""

from pathlib import Path

from purifold.evaluation.record import Record
from purifold.papers.base import Paper, Printed
from purifold.report.differences import at_difference, percentage
from purifold.report.lines import named
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
    ours = {level: at_difference(record, level, cell.attack, cell.relative_l2) for level in LEVELS}
    oblivious, adaptive = ours["oblivious"], ours["adaptive"]
    difference = "" if oblivious is None else f"{100 * (oblivious - cell.accuracy):+.1f}"
    place = (cell.attack, f"{cell.relative_l2:.3f}", named(record), f"{100 * cell.accuracy:.1f}")
    return (*place, percentage(oblivious), difference, percentage(adaptive))


def _count(results: Results) -> str:
    data = next(iter(results.records.values())).data
    return f"the first {data['count']} images of {data['name']}/{data['part']}"
