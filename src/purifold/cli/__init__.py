"""The command line: argument parsing, then one call each."""

import sys
from typing import Annotated

import typer

from purifold.cli import browse, purify, store, study
from purifold.engine.memory import ask_for_huge_pages
from purifold.errors import Failure, InputError

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

app = typer.Typer(
    name="purifold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data = typer.Typer(no_args_is_help=True, help="Look at data sets, and import archives.")

app.command()(study.demo)
app.command()(study.evaluate)
app.command()(study.reproduce)
app.command()(purify.train)
app.command()(purify.purify)
app.command()(study.run)
app.command()(store.status)
app.command()(store.clean)
app.command("list")(browse.show)
app.add_typer(data, name="data")
data.command("show")(browse.data_show)
data.command("import")(browse.data_import)


def _version(asked: bool) -> bool:
    if asked:
        from importlib.metadata import version

        typer.echo(f"purifold {version('purifold')}")
        raise typer.Exit
    return asked


@app.callback()
def purifold(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Autoencoder defenses of image classifiers, attacked by someone who knows them."""


def main() -> None:
    """Entry point: one line for an error, 2 for the user's mistakes and 1 for failures."""
    ask_for_huge_pages()
    debug = "--debug" in sys.argv
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo("purifold: stopped; the same command goes on from here", err=True)
        raise
    except Exception as error:
        if debug:
            raise
        typer.echo(f"purifold: {_line(error)}", err=True)
        sys.exit(2 if isinstance(error, InputError) else 1)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, InputError | Failure):
        return text
    return f"unexpected {type(error).__name__}: {text}; run again with --debug for the traceback"
