"""A store in a local folder, or on a network file system that is mounted like one."""

import errno
import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import final

from purifold.engine.manifest import MANIFEST, Damage, Manifest
from purifold.engine.shelf import DAMAGED, HashCheck, Shelf, parsed, place_of, rename_unless_there, stats
from purifold.engine.step import Json, Step

LOG = "runs.jsonl"


@final
class LocalShelf(Shelf):
    """`<root>/<kind>/<key>/`: the artefact's files and its manifest; the log is `<root>/runs.jsonl`.

    An artefact appears by one rename of its folder. Nothing is flushed to the disk by force: after a power
    cut a torn file is found by its size or hash and made again.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._hashes = HashCheck()

    def manifest(self, step: Step) -> Manifest | None:
        """The manifest, with every file there in its size; None when there is no artefact."""
        folder = self._root / step.place
        there = folder.exists()
        try:
            content = (folder / MANIFEST).read_bytes()
        except FileNotFoundError:
            if there and folder.exists():  # neither published nor moved aside between these looks
                raise Damage(f"{MANIFEST} is missing") from None
            return None
        manifest = Manifest.read(content, step)
        manifest.check_sizes({name: status.st_size for name, status in stats(folder, manifest).items()})
        return manifest

    def fetch(self, step: Step, manifest: Manifest) -> Path:
        """The artefact's folder itself; hashed again only when a file changed since this process did."""
        folder = self._root / step.place
        self._hashes(manifest, folder)
        return folder

    def publish(self, step: Step, manifest: Manifest, folder: Path) -> bool:
        """Renames the folder into place; a copy that comes second stays where it is."""
        (folder / MANIFEST).write_bytes(manifest.to_json())
        return rename_unless_there(folder, self._root / step.place)

    def set_aside(self, step: Step) -> str:
        """Renames the folder to `damaged/<kind>/<key>-...`."""
        target = self._root / DAMAGED / f"{step.place}-{uuid.uuid4().hex[:6]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._root / step.place).rename(target)
        return str(target)

    def published(self, place: str) -> bool:
        """Whether "kind/key" has a manifest."""
        return (self._root / place / MANIFEST).exists()

    def manifests(self, kind: str) -> Iterator[bytes]:
        """The manifest files of a kind, in no order."""
        folder = self._root / kind
        if folder.is_dir():
            with os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(OSError):  # moved aside meanwhile
                        yield Path(entry.path, MANIFEST).read_bytes()

    def places(self) -> dict[str, int]:
        """Bytes by "kind/key", whole or not, and by "damaged/kind/key-..."."""
        found: Counter[str] = Counter()
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = Path(folder, name)
                place = place_of(path.relative_to(self._root).as_posix())
                if place is not None:
                    with suppress(OSError):  # moved meanwhile
                        found[place] += path.lstat().st_size
        return dict(found)

    def remove(self, place: str) -> None:
        """Renames the folder away first."""
        gone = self._root / ".gone"
        gone.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process was first
            (self._root / place).rename(gone / uuid.uuid4().hex)
        shutil.rmtree(gone, ignore_errors=True)  # with what a killed process left there

    def append(self, event: dict[str, Json]) -> None:
        """Adds one line, in one write, which processes may do at the same time."""
        self._root.mkdir(parents=True, exist_ok=True)
        line = json.dumps(event).encode() + b"\n"
        with (self._root / LOG).open("ab", buffering=0) as log:
            if log.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._root / LOG))

    def events(self) -> list[dict[str, Json]]:
        """The log, oldest first; a torn line is left out."""
        path = self._root / LOG
        return parsed(path.read_bytes().splitlines()) if path.exists() else []
