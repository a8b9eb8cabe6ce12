"""Steps: frozen descriptions of work. The hash of a description names the artefact that the work leaves.

A step is a pure function of its description and of its inputs' artefacts: nothing else may change what it
writes. So it can run here, in another process or on another machine, and leaves the same files.
"""

import hashlib
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast, final

from purifold.errors import InputError
from purifold.options import counts

Json: TypeAlias = Any
"""None, bool, int, float, str, and lists and str-keyed dicts of them."""
KIND = "[a-z0-9]+(?:-[a-z0-9]+)*"
"""What a kind looks like, and a key, as regular expressions."""
KEY_DIGITS = 16
KEY = f"[0-9a-f]{{{KEY_DIGITS}}}"
_EXACT = 2**53  # above it a float no longer tells neighbouring integers apart


@final
@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a step needs from the machine it runs on. No hash holds it: it must not change what is made.

    Plain values only, so that a worker elsewhere can be given its own.

    Args:
        data_root: Folder with one folder a data set; None: the Hub.
        device: As torch writes it: "cpu", "cuda", "cuda:1".
        logs: Folder of TensorBoard logs of what is trained; None: none are written.
    """

    data_root: str | None = None
    device: str = "cpu"
    logs: str | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Workbench:
    """What a running step sees of the world.

    Args:
        folder: Empty; what is written here becomes the artefact.
        scratch_at: Where `scratch` is made when a step asks for it.
        resources: What this machine offers.
        fetched: Folders of the inputs' artefacts by key, to be read only.
        report: Called with the fraction done and a note.
    """

    folder: Path
    scratch_at: Path
    resources: Resources
    fetched: Mapping[str, Path]
    report: Callable[[float, str], None]

    @property
    def scratch(self) -> Path:
        """A folder for checkpoints: it survives a kill of the process, until the artefact is published.

        So it may hold what an earlier start of the same step left, down to a file half written.
        """
        self.scratch_at.mkdir(parents=True, exist_ok=True)
        return self.scratch_at

    def artefact(self, step: "Step") -> Path:
        """The folder with the files of an input; refuses a step that is not among the fields."""
        if step.key not in self.fetched:
            raise InputError(
                f"{step.label} is no input of this step; only steps among its fields can be read"
            )
        return self.fetched[step.key]

    def progress(self, fraction: float, note: str = "") -> None:
        """Tells how far the step is, 0 to 1, and in a word or two where ("epoch 3, loss 0.12")."""
        self.report(fraction, note)


class Step(ABC):
    """A piece of work that leaves an artefact.

    A concrete step is a `@final` frozen keyword-only dataclass. Its fields are its whole description: None,
    bool, int, float, str, tuples, frozen dataclasses of these, and other steps, which are its inputs.
    """

    kind: ClassVar[str]
    """Lower-case words joined by hyphens, "train-classifier": the artefact's folder in the store."""
    version: ClassVar[int] = 1
    """Counts up when the same fields come to mean another result; part of the hash."""
    cpus: ClassVar[float] = 1.0
    """Cores that a cluster keeps for it."""
    gpus: ClassVar[float] = 0.25
    """The share of a GPU that a cluster keeps for it, where there are GPUs."""

    @abstractmethod
    def run(self, bench: Workbench) -> None:
        """Writes the artefact's files into `bench.folder`."""

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"{self.kind} {self.key[:8]}"

    @final
    @property
    def place(self) -> str:
        """Where its artefact lies in a store: "kind/key"."""
        return f"{self.kind}/{self.key}"

    @final
    def inputs(self) -> "tuple[Step, ...]":
        """The steps among the fields, each once, in the order of the fields."""
        found = {
            step.key: step for entry in fields(cast(Any, self)) for step in _steps(getattr(self, entry.name))
        }
        return tuple(found.values())

    @final
    def describe(self) -> dict[str, Json]:
        """Kind, version and fields as JSON values; an input stands there by its key."""
        _check_class(type(self))
        described = {
            entry.name: _plain(getattr(self, entry.name), entry.name)
            for entry in fields(cast(Any, self))
            if counts(entry, self)
        }
        return {"kind": self.kind, "version": self.version, "fields": described}

    @final
    @cached_property
    def key(self) -> str:
        """SHA-256 of `describe()` in canonical JSON, 16 hex digits.

        Numbers that are equal hash equal (1 and 1.0), the order of fields does not count, and the class name
        of a nested dataclass does, with its module.
        """
        return _hash(self.describe())

    @final
    @cached_property
    def likeness(self) -> str:
        """The same for steps that should take about as long; see `likeness`."""
        return likeness(self.describe())


def likeness(described: Json) -> str:
    """A hash of what `Step.describe` gave, but for what hardly changes how long a step takes.

    Left out are seeds, numbers that are no integers (a budget, a rate), the options in a defense's name, and
    which artefacts are read.
    """
    return _hash(_coarse(described))


def _coarse(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _coarse(entry) for name, entry in value.items() if name not in ("seed", "key")}
    if isinstance(value, list):
        return [_coarse(entry) for entry in value]
    if isinstance(value, str):
        return value.partition(":")[0]
    return None if isinstance(value, float) else value


def _hash(value: Json) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:KEY_DIGITS]


def canonical(value: Json) -> str:
    """JSON text with sorted keys, no spaces and ASCII only: one text a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _check_class(step: type[Step]) -> None:
    name = step.__name__
    if not is_dataclass(step) or not cast(Any, step).__dataclass_params__.frozen:
        raise InputError(
            f"{name} must be a dataclass(frozen=True): a description that can change has no hash"
        )
    kind = getattr(step, "kind", None)
    if not isinstance(kind, str) or not re.fullmatch(KIND, kind) or kind == "damaged":
        raise InputError(
            f"{name}.kind must be lower-case words joined by hyphens (not 'damaged'), got {kind!r}"
        )


def _plain(value: object, name: str) -> Json:
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, tuple):
        return [_plain(item, f"{name}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, Step):
        return {"step": value.kind, "key": value.key}
    if (
        is_dataclass(value)
        and not isinstance(value, type)
        and cast(Any, type(value)).__dataclass_params__.frozen
    ):
        named = {
            entry.name: _plain(getattr(value, entry.name), f"{name}.{entry.name}")
            for entry in fields(value)
            if counts(entry, value)
        }
        return {"class": f"{type(value).__module__}.{type(value).__qualname__}", **named}
    raise InputError(
        f"{name} must be None, a bool, number, str, tuple, frozen dataclass or step, "
        f"got {type(value).__name__}; a step is described by values that cannot change"
    )


def _number(value: float) -> Json:
    if not math.isfinite(value):
        return {"float": repr(float(value))}  # strict JSON has no infinity
    return int(value) if value.is_integer() and abs(value) < _EXACT else float(value)


def _steps(value: object) -> Iterator[Step]:
    if isinstance(value, Step):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _steps(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for entry in fields(value):
            yield from _steps(getattr(value, entry.name))
