"""Commands that look after a store: status, clean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from purifold.cli.options import DataRoot, Debug, ScaleOption, Seed, resources_of, store_of
from purifold.errors import InputError

if TYPE_CHECKING:
    from purifold.engine import store as engine
    from purifold.papers.base import Paper

Store = Annotated[str, typer.Argument(help="A folder or an fsspec address.")]


def status(store: Store = "runs/store", debug: Debug = False) -> None:
    """Tells what a store holds: made by kind, running, failed, unfinished and damaged, with sizes and times.

    Example: `purifold status runs/store`
    """
    from purifold.engine.inventory import inventory
    from purifold.report.store import status as lines

    for line in lines(inventory(_filled(store))):
        typer.echo(line)


def clean(
    store: Store = "runs/store",
    study: Annotated[
        list[str] | None,
        typer.Option(
            help="Paper or Python file whose artefacts stay; repeat for several. What no study needs goes. "
            "Default: all artefacts stay."
        ),
    ] = None,
    scale: Annotated[
        list[ScaleOption] | None, typer.Option(help="Of the studies; repeat for several. Default: cpu.")
    ] = None,
    seed: Seed = 0,
    data_root: DataRoot = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only say what would go.")] = False,
    debug: Debug = False,
) -> None:
    """Deletes what dead processes left and what was damaged; with --study also what no study needs.

    Example: `purifold clean runs/store --study ae-robustness --study my_study.py`
    """
    from purifold.engine.inventory import clean as delete
    from purifold.engine.inventory import waste
    from purifold.engine.plan import needed
    from purifold.engine.scale import SCALES
    from purifold.report.store import plan, size

    here, kept = _filled(store), None
    if study:
        studies = [
            _paper(name).study(SCALES[chosen.value], resources_of(data_root), seed)
            for name in study
            for chosen in scale or [ScaleOption.cpu]
        ]
        steps = [step for each in studies for step in each.steps()]
        kept = {step.place for step in needed(steps, lambda step: False)[1]}
    found = waste(here, kept)
    for line in plan(found):
        typer.echo(line)
    typer.echo(f"deleted {size(delete(here, found))}" if yes else "Nothing was deleted; --yes deletes.")


def _filled(address: str) -> "engine.Store":
    """The store; refuses an address where none is, which is more likely mistyped than to be looked after."""
    store = store_of(address)
    if not (store.places() or store.events()):
        raise InputError(f"there is no store at {address}; say the one that a study was given by --store")
    return store


def _paper(name: str) -> "Paper":
    from purifold.papers.library import paper
    from purifold.papers.own import own_paper

    return own_paper(Path(name)) if name.endswith(".py") else paper(name)
