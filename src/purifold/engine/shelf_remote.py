"""A store on any file system that fsspec reaches: s3://, gs://, memory://, ..."""

import json
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, final

from purifold.engine.manifest import MANIFEST, Damage, Manifest
from purifold.engine.shelf import DAMAGED, HashCheck, Shelf, parsed, place_of, rename_unless_there
from purifold.engine.step import Json, Step


@final
class RemoteShelf(Shelf):
    """`<root>/<kind>/<key>/artefact.json` beside the files in `<run>/`; an object an event in `<root>/runs/`.

    Every run uploads under its own name and writes the manifest last: it is the commit, and always names
    files of one run.

    Args:
        system: An fsspec file system.
        root: Path in it, without the protocol.
        cache: Local folder that keeps what was fetched or uploaded.
    """

    def __init__(self, system: Any, root: str, cache: Path) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self._cache = cache
        self._hashes = HashCheck()

    def manifest(self, step: Step) -> Manifest | None:
        """The manifest, with every file there in its size; None when there is no artefact."""
        try:
            content = self._system.cat_file(f"{self._root}/{step.place}/{MANIFEST}")
        except FileNotFoundError:
            return None
        manifest = Manifest.read(content, step)
        inside = f"{step.place}/{manifest.run}/"
        found = self._find(inside)
        manifest.check_sizes({name.split(inside, 1)[1]: size for name, size in found.items()})
        return manifest

    def fetch(self, step: Step, manifest: Manifest) -> Path:
        """The folder in the cache, downloaded where it is not there or was changed."""
        kept = self._cached(step, manifest)
        if kept.exists():
            try:
                self._hashes(manifest, kept)
            except Damage:
                shutil.rmtree(kept)
            else:
                return kept
        self._download(step, manifest, kept)
        return kept

    def publish(self, step: Step, manifest: Manifest, folder: Path) -> bool:
        """Uploads the files, then the manifest unless another run's is there; the copy goes to the cache."""
        home = f"{self._root}/{step.place}"
        for name in manifest.files:
            self._system.put_file(str(folder / name), f"{home}/{manifest.run}/{name}")
        if self.published(step.place):
            self._system.rm(f"{home}/{manifest.run}", recursive=True)
            return False
        self._system.pipe_file(f"{home}/{MANIFEST}", manifest.to_json())
        rename_unless_there(folder, self._cached(step, manifest))
        return True

    def set_aside(self, step: Step) -> str:
        """Moves every object to `damaged/<kind>/<key>-...`, the manifest first: it is what counts."""
        inside = f"{step.place}/"
        target = f"{self._root}/{DAMAGED}/{step.place}-{uuid.uuid4().hex[:6]}"
        for path in sorted(self._find(inside), key=lambda path: not path.endswith(f"{inside}{MANIFEST}")):
            moved = f"{target}/{path.split(inside, 1)[1]}"
            self._system.makedirs(moved.rpartition("/")[0], exist_ok=True)
            self._system.mv(path, moved)
        return target

    def published(self, place: str) -> bool:
        """Whether "kind/key" has a manifest."""
        self._system.invalidate_cache()
        return bool(self._system.exists(f"{self._root}/{place}/{MANIFEST}"))

    def manifests(self, kind: str) -> Iterator[bytes]:
        """The manifest files of a kind, in no order."""
        self._system.invalidate_cache()
        with suppress(FileNotFoundError):
            for folder in self._system.ls(f"{self._root}/{kind}", detail=False):
                with suppress(FileNotFoundError):
                    yield self._system.cat_file(f"{folder}/{MANIFEST}")

    def places(self) -> dict[str, int]:
        """Bytes by "kind/key", whole or not, and by "damaged/kind/key-..."."""
        found: Counter[str] = Counter()
        for path, size in self._find("").items():
            place = place_of(path.split(f"{self._root}/", 1)[1])
            if place is not None:
                found[place] += size
        return dict(found)

    def remove(self, place: str) -> None:
        """Deletes the manifest first: it is what counts."""
        with suppress(FileNotFoundError):
            self._system.rm(f"{self._root}/{place}/{MANIFEST}")
        with suppress(FileNotFoundError):  # some systems have no empty folders
            self._system.rm(f"{self._root}/{place}", recursive=True)
        shutil.rmtree(self._cache / place, ignore_errors=True)

    def append(self, event: dict[str, Json]) -> None:
        """Writes an object that sorts by time: most remote systems cannot append."""
        name = f"{self._root}/runs/{time.time_ns():020}-{uuid.uuid4().hex[:8]}.json"
        try:
            self._system.pipe_file(name, json.dumps(event).encode())
        except FileNotFoundError:  # a system with real folders
            self._system.makedirs(f"{self._root}/runs", exist_ok=True)
            self._system.pipe_file(name, json.dumps(event).encode())

    def events(self) -> list[dict[str, Json]]:
        """The log, oldest first; a torn line is left out."""
        return parsed([self._system.cat_file(path) for path in sorted(self._find("runs/"))])

    def _download(self, step: Step, manifest: Manifest, kept: Path) -> None:
        arriving = self._cache / ".arriving" / uuid.uuid4().hex
        try:
            for name in manifest.files:
                (arriving / name).parent.mkdir(parents=True, exist_ok=True)
                self._system.get_file(
                    f"{self._root}/{step.place}/{manifest.run}/{name}", str(arriving / name)
                )
            manifest.check_hashes(arriving)
            rename_unless_there(arriving, kept)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    def _cached(self, step: Step, manifest: Manifest) -> Path:
        return self._cache / step.place / manifest.run

    def _find(self, inside: str) -> dict[str, int]:
        self._system.invalidate_cache()
        found = self._system.find(f"{self._root}/{inside.rstrip('/')}", detail=True)
        return {path: info["size"] for path, info in found.items()}
