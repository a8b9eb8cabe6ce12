"""A study from plan to page: what `evaluate`, `demo` and `reproduce` do."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from purifold.engine.experiment import Experiment
from purifold.engine.local import run
from purifold.engine.plan import plan
from purifold.engine.progress import duration, shown
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.report import tables
from purifold.report.page import write_page
from purifold.report.results import Results, publish
from purifold.report.sentences import meaning
from purifold.training.storage import write_bytes


def report(
    experiments: Sequence[Experiment], store: Store, resources: Resources, out: Path, title: str
) -> Results:
    """Makes what the store lacks, writes records and page to `out`, and prints the main table.

    Returns:
        What was written.
    """
    from rich.console import Console

    steps = [step for experiment in experiments for step in experiment.steps()]
    with shown() as listener:
        made = run(steps, store, resources, listener)
    results = publish(experiments, store, out, title=title, command=shlex.join(["purifold", *sys.argv[1:]]))
    write_bytes(out / "table.md", tables.markdown(results.records).encode())
    write_bytes(out / "by-attack.md", tables.by_attack(results.records).encode())
    page = write_page(results, out)
    console = Console(highlight=False)
    console.print(tables.terminal(results.records, title))
    for sentence in meaning(results.records):
        console.print(sentence)
    console.print(
        f"\n{len(made.made)} steps made in {duration(made.seconds)}, {len(made.found)} found in the store."
    )
    console.print(f"The report: {page}")
    return results


def show_plan(experiments: Sequence[Experiment], store: Store) -> None:
    """Prints what `report` would have to make, and how long that may take."""
    coming = plan([step for experiment in experiments for step in experiment.steps()], store)
    for step in coming.todo:
        print(step.label)
    known = f"about {duration(coming.seconds)}" if coming.seconds else "an unknown time"
    unknown = f", and {coming.unknown} of a kind never timed here" if coming.unknown else ""
    print(f"{len(coming.todo)} steps to make in {known}{unknown}; {len(coming.done)} are in the store.")
