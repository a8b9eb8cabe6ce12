"""Where artefacts lie, as the store sees it: a place that keeps them whole or not at all."""

import errno
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import final

from purifold.engine.manifest import Manifest
from purifold.engine.step import KEY, KIND, Json, Step

DAMAGED = "damaged"
"""The folder of what was set aside."""
_PLACE = re.compile(rf"((?!{DAMAGED}/){KIND}/{KEY}|{DAMAGED}/{KIND}/{KEY}-[0-9a-f]+)/")


class Shelf(ABC):
    """Keeps artefacts by kind and key. `Damage` is raised for what is there and is not as it was written."""

    @abstractmethod
    def manifest(self, step: Step) -> Manifest | None:
        """The manifest, with every file there in its size; None when there is no artefact."""

    @abstractmethod
    def fetch(self, step: Step, manifest: Manifest) -> Path:
        """A local folder with the files, each with its SHA-256."""

    @abstractmethod
    def publish(self, step: Step, manifest: Manifest, folder: Path) -> bool:
        """Makes `folder` visible as the artefact, whole or not at all; whether it was the first."""

    @abstractmethod
    def set_aside(self, step: Step) -> str:
        """Moves a damaged artefact away; the place where it is kept."""

    @abstractmethod
    def published(self, place: str) -> bool:
        """Whether "kind/key" has a manifest."""

    @abstractmethod
    def manifests(self, kind: str) -> Iterator[bytes]:
        """The manifest files of a kind, in no order."""

    @abstractmethod
    def places(self) -> dict[str, int]:
        """Bytes by "kind/key", whole or not, and by "damaged/kind/key-..."."""

    @abstractmethod
    def remove(self, place: str) -> None:
        """Deletes what `places` lists, so that no reader ever sees half of it."""

    @abstractmethod
    def append(self, event: dict[str, Json]) -> None:
        """Adds to the log."""

    @abstractmethod
    def events(self) -> list[dict[str, Json]]:
        """The log, oldest first; a torn line is left out."""


@final
class HashCheck:
    """Checks the SHA-256 of files, again only when size or time of a file changed since this process did."""

    def __init__(self) -> None:
        self._checked: dict[str, list[tuple[int, int]]] = {}

    def __call__(self, manifest: Manifest, folder: Path) -> None:
        """Raises `Damage` unless every file in `folder` is as the manifest says."""
        seen = [(status.st_size, status.st_mtime_ns) for status in stats(folder, manifest).values()]
        if self._checked.get(manifest.run) != seen:
            manifest.check_hashes(folder)
            self._checked[manifest.run] = seen


def stats(folder: Path, manifest: Manifest) -> dict[str, os.stat_result]:
    """Of those files of the manifest that are there."""
    found = {}
    for name in manifest.files:
        with suppress(FileNotFoundError, NotADirectoryError):
            found[name] = os.stat(folder / name)
    return found


def rename_unless_there(folder: Path, target: Path) -> bool:
    """Renames a folder, and says so; where another process was first, `folder` stays as it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


def place_of(path: str) -> str | None:
    """The place that a file belongs to, by its path in the store; None for what no store writes there.

    What has no place is never deleted: whoever cleans a wrong folder loses nothing.
    """
    found = _PLACE.match(path)
    return found[1] if found else None


def parsed(texts: Iterable[bytes]) -> list[dict[str, Json]]:
    """The JSON objects among `texts`; what is torn or something else is left out."""
    found = []
    for text in texts:
        with suppress(ValueError):
            value = json.loads(text)
            if isinstance(value, dict):
                found.append(value)
    return found
