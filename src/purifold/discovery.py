"""Finds what the modules of a room define, so that a new file needs no list to be entered in."""

import importlib
import inspect
import pkgutil
from functools import cache
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def classes(base: type[T]) -> dict[str, type[T]]:
    """Concrete subclasses of `base` in the folder of `base`, by their `name`."""
    return {
        member.name: member  # type: ignore[attr-defined]
        for module in _modules(base.__module__.rpartition(".")[0])
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__
        and issubclass(member, base)
        and not inspect.isabstract(member)
        if member is not base
    }


def instances(kind: type[T]) -> dict[str, T]:
    """Module-level objects of `kind` in the folder of `kind`, by their `name`."""
    return {
        member.name: member
        for module in _modules(kind.__module__.rpartition(".")[0])
        for _, member in inspect.getmembers(module, lambda member: isinstance(member, kind))
    }


@cache
def _modules(package: str) -> tuple[ModuleType, ...]:
    folder = importlib.import_module(package)
    entries = pkgutil.iter_modules(folder.__path__, folder.__name__ + ".")
    return tuple(importlib.import_module(entry.name) for entry in entries)
