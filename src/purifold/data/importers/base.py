"""What an importer of an official archive is, and the columns that it fills."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, final

Rows: TypeAlias = dict[str, list[Any]]
"""Cells by column: `image` (a file's content), `label`, and what else the data set has."""


@final
@dataclass(frozen=True, kw_only=True)
class Importer:
    """Turns one archive layout into rows.

    Args:
        name: The data set.
        layout: One line about what the archive folder must hold.
        classes: Class names in the order of the labels.
        read: The archive folder to rows by part ("train", "test").
    """

    name: str
    layout: str
    classes: tuple[str, ...]
    read: Callable[[Path], dict[str, Rows]]
