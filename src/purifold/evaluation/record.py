"""Records: outcomes and everything needed to run them again, as one JSON file beside one `.npz`."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, final

import numpy as np

from purifold.data.split import Split
from purifold.errors import Failure, InputError
from purifold.evaluation.check import OF_ATTACKS, OF_OUTCOMES, Check, unreliable
from purifold.evaluation.outcome import Outcome
from purifold.storage import write_bytes

KIND, VERSION = "purifold record", 2
DAMAGE = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
)
"""What reading damaged JSON or arrays ends in."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """One evaluation. Mappings hold JSON values only.

    Args:
        title: For a reader.
        command: What to type to run it again.
        created: ISO 8601, with the time zone.
        seconds: How long it took.
        data: `identity` of the split.
        classifier: How it was made, and its clean accuracy.
        defense: Its "name", and what it is made of.
        attacks: The repr of each, in their order.
        seed: Of attacks, judge and checks.
        draws: Predictions of each image by the judge.
        eot: Draws that attackers averaged.
        checks: All sanity checks.
        environment: As `environment` says.
        outcomes: At every budget and knowledge level.
        wide: At every budget, of attackers who do not know the defense, on more images.
    """

    title: str
    command: str
    created: str
    seconds: float
    data: Mapping[str, Any]
    classifier: Mapping[str, Any]
    defense: Mapping[str, Any]
    attacks: tuple[str, ...]
    seed: int
    draws: int
    eot: int
    checks: tuple[Check, ...]
    environment: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]
    wide: tuple[Outcome, ...] = ()

    def __post_init__(self) -> None:
        if "name" not in self.defense:
            raise InputError(f'defense must hold its "name", got {sorted(self.defense)}')
        if not self.outcomes:
            raise InputError("outcomes must hold at least one outcome, got none")

    @property
    def reduced(self) -> bool:
        """Whether no check attacked this system: only those of its outcomes and of the attacks were made."""
        return all(check.name in (*OF_OUTCOMES, OF_ATTACKS) for check in self.checks)

    @property
    def unreliable(self) -> bool:
        """Whether a sanity check failed, or none was run."""
        return unreliable(self.checks)


def identity(split: Split) -> dict[str, Any]:
    """What tells a split apart from any other, for a record's `data`."""
    name, _, part = split.name.partition("/")
    return {"name": name, "part": part, "hash": split.hash, "count": len(split)}


def write(record: Record, folder: Path, name: str) -> Path:
    """Writes `<name>.json` and the arrays it points to; returns its path.

    The JSON comes last, in one rename: whatever stops this in between, an older record of that name stays
    whole. The older record's arrays are removed after.

    Raises:
        Failure: The disk is full, or cannot be written.
    """
    content, arrays = _parts(record)
    path = folder / f"{name}.json"
    before = _arrays_of(path)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    content["arrays"] = {"file": f"{name}-{_digest(arrays)[:8]}.npz", "sha256": _digest(arrays)}
    try:
        text = json.dumps(content | {"sha256": _digest_text(content)}, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the record {name} must hold JSON values only: {error}") from error
    write_bytes(folder / content["arrays"]["file"], packed.getvalue())
    write_bytes(path, text.encode())
    if before is not None and before != content["arrays"]["file"]:
        with suppress(OSError):
            (folder / before).unlink()
    return path


def read(path: Path) -> Record:
    """The record whose JSON file is at `path`.

    Raises:
        InputError: There is no such file.
        Failure: It, or its arrays, are damaged or of another version.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no record {path}; run the command again that wrote it") from error
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error
    try:
        content = json.loads(text)
        kind, found = content["kind"], content["version"]
    except DAMAGE as error:
        raise _damaged(path, "it is no JSON of a record") from error
    if kind != KIND:
        raise Failure(f"{path} is no record of purifold, its kind is {kind!r}")
    if found != VERSION:
        raise Failure(
            f"{path} is a record of version {found}, this purifold reads {VERSION}; run its command again"
        )
    try:
        if content.pop("sha256") != _digest_text(content):
            raise ValueError("its text is not what was written")
        arrays = content["arrays"]
        return _record(content, _load(path.with_name(arrays["file"]), arrays["sha256"]))
    except (*DAMAGE, OSError) as error:
        raise _damaged(path, f"{type(error).__name__} {error}") from error


def _parts(record: Record) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The JSON content and all arrays; what readers would otherwise work out is written beside."""
    content: dict[str, Any] = {"kind": KIND, "version": VERSION, "unreliable": record.unreliable}
    content |= {field.name: getattr(record, field.name) for field in fields(record)}
    content["checks"] = [asdict(check) for check in record.checks]
    headers: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for place, outcome in enumerate((*record.outcomes, *record.wide)):
        header, held = outcome.to_arrays()
        headers.append(header)
        arrays |= {f"{place}.{name}": values for name, values in held.items()}
    count = len(record.outcomes)
    return content | {"outcomes": headers[:count], "wide": headers[count:]}, arrays


def _record(content: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Record:
    content = {"wide": [], **content}  # of records that were written before there were any
    outcomes, count = [], len(content["outcomes"])
    for place, header in enumerate((*content["outcomes"], *content["wide"])):
        prefix = f"{place}."
        held = {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}
        outcomes.append(Outcome.from_arrays(header, held))
    own = {field.name: content[field.name] for field in fields(Record)}
    return Record(
        **own
        | {
            "attacks": tuple(content["attacks"]),
            "checks": tuple(Check(**check) for check in content["checks"]),
            "outcomes": tuple(outcomes[:count]),
            "wide": tuple(outcomes[count:]),
        }
    )


def _load(path: Path, sha256: str) -> dict[str, np.ndarray]:
    try:
        content = io.BytesIO(path.read_bytes())  # of our own: NumPy leaves a damaged file open
        with np.load(content, allow_pickle=False) as packed:
            held = {name: packed[name] for name in packed.files}
    except DAMAGE as error:
        raise ValueError(f"{path.name}: {error}") from error
    if _digest(held) != sha256:
        raise ValueError(f"{path.name} does not hold the arrays that were written")
    return held


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _digest_text(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _arrays_of(path: Path) -> str | None:
    """The arrays that an older record points to."""
    try:
        return Path(json.loads(path.read_bytes())["arrays"]["file"]).name
    except (*DAMAGE, OSError):
        return None


def _damaged(path: Path, reason: str) -> Failure:
    line = reason.partition("\n")[0]
    return Failure(f"the record {path} is damaged ({line}); delete it and run its command again")
