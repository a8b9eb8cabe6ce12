"""Commands that look and import: list, data show, data import."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from purifold.cli.options import DataRoot, Debug


class Listable(StrEnum):
    """What `purifold list` knows."""

    defenses = "defenses"
    attacks = "attacks"
    classifiers = "classifiers"
    autoencoders = "autoencoders"
    data = "data"
    papers = "papers"


def show(what: Annotated[Listable, typer.Argument(help="What to list.")], debug: Debug = False) -> None:
    """Lists defenses, attacks, networks of classifiers or autoencoders, data sets or papers.

    Example: `purifold list defenses`
    """
    from purifold.report.catalogue import catalogue

    for line in catalogue(what.value):
        typer.echo(line)


def data_show(
    name: Annotated[str, typer.Argument(help="See `purifold list data`.")],
    data_root: DataRoot = None,
    debug: Debug = False,
) -> None:
    """Tells what a data set holds, and how to evaluate on it.

    Example: `purifold data show digits`
    """
    from purifold.report.catalogue import data_set

    for line in data_set(name, data_root):
        typer.echo(line)


def data_import(
    name: Annotated[str, typer.Argument(help="btsc, coil-100 or nips-2017.")],
    archive: Annotated[Path, typer.Argument(help="Folder of the unpacked official archive.")],
    data_root: Annotated[Path, typer.Option(help="Where the data set's folder is made.")] = Path("data"),
    debug: Debug = False,
) -> None:
    """Turns an official archive into the Parquet files that `--data-root` reads.

    Example: `purifold data import btsc BelgiumTSC --data-root data`
    """
    from purifold.data.importers.archive import import_archive

    typer.echo(f"wrote {import_archive(name, archive, data_root)}")
