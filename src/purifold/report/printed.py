"""The numbers that a paper prints, beside ours at the same relative L2 difference."""

from pathlib import Path

from purifold.evaluation.record import Record
from purifold.papers.base import Paper, Printed
from purifold.report.differences import at_difference, beside
from purifold.report.lines import named
from purifold.report.results import Results
from purifold.storage import write_bytes

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
    head = f"Accuracy in percent on {_count(results)}, in brackets 95 % intervals."
    write_bytes(page, f"# {paper.title}\n\n{head}\n\n{text}\n".encode())


def _row(cell: Printed, record: Record) -> tuple[str, ...]:
    oblivious, adaptive = (
        at_difference(record, level, cell.attack, cell.relative_l2) for level in ("oblivious", "adaptive")
    )
    known = "" if adaptive is None else str(adaptive)
    place = (cell.attack, f"{cell.relative_l2:.3f}", named(record))
    return (*place, *beside(cell.accuracy, oblivious), known)


def _count(results: Results) -> str:
    data = next(iter(results.records.values())).data
    return f"the first {data['count']} images of {data['name']}/{data['part']}"
