"""The manifest of an artefact: what made it, and by which its files are checked."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, final

from purifold.engine.step import Json, Step
from purifold.errors import Failure

MANIFEST = "artefact.json"
_PACKAGES = ("purifold", "torch", "lightning-fabric", "numpy", "datasets", "scikit-learn")


class Damage(Exception):
    """An artefact is there, and is not what its manifest or its place says; the message says why."""


@final
@dataclass(frozen=True)
class StoredFile:
    """Size in bytes and SHA-256 of one file."""

    size: int
    sha256: str


@final
@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What `artefact.json` holds.

    Args:
        key: The hash of `description`.
        description: The step, as `Step.describe` gives it.
        files: By path inside the artefact, with forward slashes.
        run: Random name of the run that made this copy.
        created: UTC, ISO 8601.
        seconds: What the last start took; checkpoints of earlier starts are not counted.
        starts: How often the step was started before it came to its end, this start included.
        hardware: Machine, processor, its cores and the GPU if one was used.
        versions: Of Python and the packages that compute.
    """

    key: str
    description: Mapping[str, Json]
    files: Mapping[str, StoredFile]
    run: str
    created: str
    seconds: float
    starts: int
    hardware: Mapping[str, Json]
    versions: Mapping[str, str]

    @classmethod
    def of(
        cls, step: Step, folder: Path, *, run: str, seconds: float, starts: int, device: str
    ) -> "Manifest":
        """The manifest of what `step` wrote into `folder`; refuses a step that wrote no file."""
        found = sizes(folder)
        if not found:
            raise Failure(f"{step.label} wrote no file; a step leaves its result in bench.folder")
        return cls(
            key=step.key,
            description=step.describe(),
            files={name: StoredFile(size, sha256(folder / name)) for name, size in found.items()},
            run=run,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            seconds=round(seconds, 4),
            starts=starts,
            hardware=hardware(device),
            versions=versions(),
        )

    @classmethod
    def read(cls, content: bytes, step: Step) -> "Manifest":
        """The manifest of `step` from the bytes of its file; raises `Damage` when it is none."""
        try:
            values: dict[str, Any] = json.loads(content)
            files = {
                name: StoredFile(entry["size"], entry["sha256"]) for name, entry in values["files"].items()
            }
            manifest = cls(**{**values, "files": files})
            outside = [
                name
                for name in (*files, manifest.run)  # a remote store has a folder of the run's name
                if name.startswith("/") or ".." in name.split("/")
            ]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Damage(f"{MANIFEST} cannot be read") from error
        if outside:
            raise Damage(f"{MANIFEST} names files outside the artefact")
        if manifest.description != step.describe():
            raise Damage(f"{MANIFEST} describes another step")
        return manifest

    def to_json(self) -> bytes:
        """Indented JSON, for people too."""
        files = {name: vars(entry) for name, entry in self.files.items()}
        return (json.dumps({**vars(self), "files": files}, indent=2) + "\n").encode()

    def check_sizes(self, found: Mapping[str, int]) -> None:
        """Raises `Damage` unless every file is there in its size; other files are not looked at."""
        for name, entry in self.files.items():
            if name not in found:
                raise Damage(f"{name} is missing")
            if found[name] != entry.size:
                raise Damage(f"{name} has {found[name]} bytes instead of {entry.size}")

    def check_hashes(self, folder: Path) -> None:
        """Raises `Damage` unless every file in `folder` has its SHA-256."""
        for name, entry in self.files.items():
            try:
                found = sha256(folder / name)
            except FileNotFoundError:
                raise Damage(f"{name} is missing") from None
            if found != entry.sha256:
                raise Damage(f"{name} has another SHA-256 than when it was written")


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file under `folder`; refuses links, devices and a file with the manifest's name."""
    found: dict[str, int] = {}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                name = inside + entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name + "/")
                elif not entry.is_file(follow_symlinks=False) or name == MANIFEST:
                    raise Failure(
                        f"{name} cannot be in an artefact: plain files and folders, none called {MANIFEST}"
                    )
                else:
                    found[name] = entry.stat().st_size
    return found


def sha256(path: Path) -> str:
    """Of a file's content, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def hardware(device: str) -> dict[str, Json]:
    """The machine, and the GPU where `device` is one."""
    found = {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": device,
    }
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name(device)
    return found


@cache
def versions() -> dict[str, str]:
    """Python and those of our packages that are installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
