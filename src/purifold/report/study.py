"""A study from plan to page: what `evaluate`, `demo` and `reproduce` do."""

import shlex
import sys
from collections import Counter
from pathlib import Path

from purifold.engine.local import run
from purifold.engine.plan import Plan, needed, plan
from purifold.engine.progress import Listener, duration, shown
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.engine.study import StudyReport
from purifold.errors import InputError
from purifold.papers.base import Study
from purifold.report import tables
from purifold.report.exhibits_page import write_exhibits
from purifold.report.page import write_page
from purifold.report.results import Results, publish, read_results
from purifold.report.sentences import failed, meaning
from purifold.storage import check_writable, write_bytes


def report(
    study: Study,
    store: Store,
    resources: Resources,
    out: Path,
    title: str,
    *,
    minutes: float | None = None,
    ray: str | None = None,
) -> Results:
    """Makes what the store lacks, writes records and page to `out`, and prints the main table or the claims.

    Args:
        study: What is run.
        store: Where artefacts are found and published.
        resources: Of this machine.
        out: Folder of the results.
        title: Of the page.
        minutes: What the study is known to take on two cores, told where nothing was timed here.
        ray: Address of the Ray cluster that makes it, or "auto"; None: this process alone.

    Returns:
        What was written.
    """
    check_writable(out)
    print(forecast(plan(study.steps(), store), minutes))
    with shown() as listener:
        made = _made(study, store, resources, listener, ray)
    results = publish(study, store, out, title=title, command=shlex.join(["purifold", *sys.argv[1:]]))
    page = _drawn(study, results, out, title)
    print(f"{len(made.made)} steps made in {duration(made.seconds)}, {len(made.found)} found in the store.")
    print(f"The report: {page}")
    return results


def redraw(study: Study, out: Path, title: str) -> Results:
    """Draws the report anew from the results in `out`; refuses where they are of other exhibits."""
    results = read_results(out)
    check_writable(out)
    asked = [experiment.name for experiment in study.experiments]
    asked += [exhibit.name for exhibit in study.exhibits if exhibit.measurements]
    lacking = set(asked) - {*results.records, *results.measurements}
    if lacking:
        raise InputError(
            f"{out} lacks results of {min(lacking)}; give the --only, --scale and --seed that it was made "
            "with, or leave --redraw out"
        )
    try:
        page = _drawn(study, results, out, title)
    except KeyError as absent:
        raise InputError(
            f"{out} lacks {absent}, which another version of purifold did not write; leave --redraw out"
        ) from absent
    print(f"The report: {page}")
    return results


def _drawn(study: Study, results: Results, out: Path, title: str) -> Path:
    if not study.exhibits:
        return _one_by_one(results, out, title)
    for line in dict.fromkeys(failed(tuple(results.records.values()))):
        print(line)
    return write_exhibits(study, results, out)


def _made(
    study: Study, store: Store, resources: Resources, listener: Listener, ray: str | None
) -> StudyReport:
    if ray is None:
        return run(study.steps(), store, resources, listener)
    from purifold.engine.ray import run as run_on_ray

    return run_on_ray(study.steps(), store, resources, listener, address=ray)


def _one_by_one(results: Results, out: Path, title: str) -> Path:
    from rich.console import Console

    records = tuple(results.records.values())
    write_bytes(out / "table.md", tables.markdown(records).encode())
    write_bytes(out / "by-attack.md", tables.by_attack(records).encode())
    console = Console(highlight=False)
    console.print(tables.terminal(records, title))
    for sentence in meaning(records):
        console.print(sentence)
    for line in failed(records):
        console.print(line, style="red")
    console.print()
    return write_page(results, out)


def show_plan(study: Study, store: Store, minutes: float | None = None) -> None:
    """Prints how many steps of each kind `report` would make, how long that may take, and what was spent."""
    coming = plan(study.steps(), store)
    for kind, count in Counter(step.kind for step in coming.todo).items():
        print(f"{count:6d} {kind}")
    print(forecast(coming, minutes))
    if coming.done:
        print(spent(study, store))


def spent(study: Study, store: Store) -> str:
    """How long the steps took that are in the store, those behind others too; waiting is not in it."""
    there = [step for step in needed(study.steps(), lambda step: False)[1] if store.has(step)]
    seconds = sum((store.manifest(step).seconds for step in there), start=0.0)
    return f"{len(there)} steps of it are in the store; one after another they took {duration(seconds)}."


def forecast(coming: Plan, minutes: float | None = None) -> str:
    """How much there is to make, and how long it may take; `minutes` is what all of it took elsewhere."""
    found = f"{len(coming.done)} found in the store"
    if not coming.todo:
        return f"Nothing to make; {found}."
    count = f"{len(coming.todo)} steps to make"
    if minutes is not None and not coming.done:  # what was timed here may be of another scale
        return f"{count}; the whole study takes about {minutes:.0f} min on two cores; {found}."
    if not coming.seconds:
        return f"{count}, none of a kind that was timed here; {found}."
    unknown = f", and {coming.unknown} of a kind never timed here" if coming.unknown else ""
    return f"{count} in about {duration(coming.seconds)}{unknown}; {found}."
