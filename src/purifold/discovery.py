"""Finds what the modules of a room define, so that a new file needs no list to be entered in.

A user's own file is found as if it stood in every room. What it defines goes by a name with a hash of its
code, so that an artefact of other code is never taken for its own.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
from functools import cache
from hashlib import sha256
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")
HASH_DIGITS = 8
_own: dict[str, tuple[ModuleType, str]] = {}


def classes(base: type[T]) -> dict[str, type[T]]:
    """Concrete subclasses of `base` in the folder of `base` and in the user's files, by their `name`."""
    own = (module for module, _ in _own.values())
    return {
        member.name: member  # type: ignore[attr-defined]
        for module in (*_modules(base.__module__.rpartition(".")[0]), *own)
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


def adopt(stem: str, text: str) -> ModuleType:
    """Runs a user's Python file as a module, once; its classes are found by `classes` from then on.

    A class with a `name` of its own gets "name@hash", the hash of all in the file that it is made of.

    Args:
        stem: The file's name without ".py".
        text: Its content.
    """
    name = f"{stem}_{_hash(text)}"
    if name in _own:
        return _own[name][0]
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses and pickle look it up
    try:
        exec(compile(text, f"{stem}.py", "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    for label, member in vars(module).items():
        if (
            inspect.isclass(member)
            and member.__module__ == name
            and isinstance(vars(member).get("name"), str)
        ):
            member.name = f"{member.name}@{_hash(_behind(text, label))}"  # type: ignore[attr-defined]
    _own[name] = (module, text)
    return module


def own_files() -> tuple[tuple[str, str], ...]:
    """What other processes must `adopt` to find the same: stems and texts."""
    return tuple((name.rpartition("_")[0], text) for name, (_, text) in _own.items())


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def _behind(text: str, name: str) -> str:
    """The code, without its comments, of those top-level statements that a definition needs."""
    statements = ast.parse(text).body
    wanted, kept = {name}, set[int]()
    while True:
        more = [
            place
            for place, statement in enumerate(statements)
            if place not in kept and wanted & _bound(statement)
        ]
        if not more:
            return "\n".join(ast.unparse(statements[place]) for place in sorted(kept))
        kept.update(more)
        for place in more:
            wanted |= {node.id for node in ast.walk(statements[place]) if isinstance(node, ast.Name)}


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement gives a meaning."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return {statement.name}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
    return names
