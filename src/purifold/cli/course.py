"""The options that every study takes, declared once."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, TypeAlias, final

import typer

from purifold.cli.options import (
    Debug,
    DryRun,
    Ray,
    Scale,
    ScaleOption,
    Seed,
    StoreAddress,
    TensorBoard,
)

Command: TypeAlias = Callable[..., None]


@final
@dataclass(frozen=True, kw_only=True)
class Course:
    """How a study is run, whatever it is of: an option a field."""

    store: StoreAddress = "runs/store"
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report. Default: runs/ and the name of the study.")
    ] = None
    scale: Scale = ScaleOption.cpu
    seed: Seed = 0
    ray: Ray = None
    tensorboard: TensorBoard = None
    dry_run: DryRun = False
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Only draw the report anew from the results in its folder.")
    ] = False
    debug: Debug = False


def on_course(**defaults: Any) -> Callable[[Command], Command]:
    """Gives a command the options of `Course`, after its own; it gets them as its argument `course`.

    Args:
        defaults: Of the options, where they are others than those of `Course`.
    """
    options = [
        Parameter(
            option.name,
            Parameter.KEYWORD_ONLY,
            annotation=option.type,
            default=defaults.get(option.name, option.default),
        )
        for option in fields(Course)
    ]

    def extended(command: Command) -> Command:
        @wraps(command)
        def called(**given: Any) -> None:
            course = Course(**{option.name: given.pop(option.name) for option in options})
            command(**given, course=course)

        own = [entry for entry in signature(command).parameters.values() if entry.name != "course"]
        shown = [entry.replace(kind=Parameter.KEYWORD_ONLY) for entry in own] + options
        called.__signature__ = Signature(shown)  # type: ignore[attr-defined]
        return called

    return extended
