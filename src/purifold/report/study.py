"""A study from plan to page: what `evaluate`, `demo` and `reproduce` do."""

import shlex
import sys
from pathlib import Path

from purifold.engine.local import run
from purifold.engine.plan import Plan, plan
from purifold.engine.progress import duration, shown
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.papers.base import Study
from purifold.report import tables
from purifold.report.exhibits_page import write_exhibits
from purifold.report.page import write_page
from purifold.report.results import Results, publish
from purifold.report.sentences import meaning
from purifold.training.storage import write_bytes


def report(study: Study, store: Store, resources: Resources, out: Path, title: str) -> Results:
    """Makes what the store lacks, writes records and page to `out`, and prints the main table or the claims.

    Returns:
        What was written.
    """
    print(forecast(plan(study.steps(), store)))
    with shown() as listener:
        made = run(study.steps(), store, resources, listener)
    results = publish(study, store, out, title=title, command=shlex.join(["purifold", *sys.argv[1:]]))
    page = write_exhibits(study, results, out) if study.exhibits else _one_by_one(results, out, title)
    print(f"{len(made.made)} steps made in {duration(made.seconds)}, {len(made.found)} found in the store.")
    print(f"The report: {page}")
    return results


def _one_by_one(results: Results, out: Path, title: str) -> Path:
    from rich.console import Console

    records = tuple(results.records.values())
    write_bytes(out / "table.md", tables.markdown(records).encode())
    write_bytes(out / "by-attack.md", tables.by_attack(records).encode())
    console = Console(highlight=False)
    console.print(tables.terminal(records, title))
    for sentence in meaning(records):
        console.print(sentence)
    console.print()
    return write_page(results, out)


def show_plan(study: Study, store: Store) -> None:
    """Prints what `report` would have to make, and how long that may take."""
    coming = plan(study.steps(), store)
    for step in coming.todo:
        print(step.label)
    print(forecast(coming))


def forecast(coming: Plan) -> str:
    """How much there is to make, and how long it may take."""
    known = f"about {duration(coming.seconds)}" if coming.seconds else "an unknown time"
    unknown = f", and {coming.unknown} of a kind never timed here" if coming.unknown else ""
    return f"{len(coming.todo)} steps to make in {known}{unknown}; {len(coming.done)} are in the store."
