"""The store: artefacts by the hash of the step that makes them, safe from kills, neighbours and bad disks."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Literal, final

from purifold.engine.manifest import Damage, Manifest
from purifold.engine.shelf import DAMAGED, Shelf, parsed
from purifold.engine.shelf_local import LocalShelf
from purifold.engine.shelf_remote import RemoteShelf
from purifold.engine.step import Json, Step, likeness
from purifold.engine.work import STALE_HOURS, Place, WorkFolder
from purifold.errors import Failure, InputError

EventName = Literal["started", "finished", "discarded", "failed", "lost", "damaged"]
_log = logging.getLogger(__name__)


class Unsound(Failure):
    """An artefact that was asked for is not there, or was damaged and has been moved aside."""


@final
class Store:
    """Artefacts by kind and key, in a local folder or on a file system of fsspec.

    An artefact is visible whole or not at all. A damaged one is never read: it is moved to `damaged/`, which
    is logged as a warning, and counts as not there. Making the object touches nothing.

    Args:
        address: A folder, or what fsspec takes ("s3://bucket/path", "memory://name").
        cache: Folder for copies and unfinished work of a remote store; by default a folder in the user's
            cache. A local store has no use for it.
    """

    def __init__(self, address: str | os.PathLike[str], cache: str | os.PathLike[str] | None = None) -> None:
        self.address = os.fspath(address)
        self.cache = None if cache is None else os.fspath(cache)
        local = _local_path(self.address)
        if local is not None and cache is not None:
            raise InputError(
                f"cache is for remote stores only, and {self.address} is a local folder; leave it out"
            )
        if local is None:
            folder = Path(self.cache) if self.cache is not None else _default_cache(self.address)
            self._shelf: Shelf = _remote(self.address, folder)
        else:
            folder, self._shelf = local, LocalShelf(local)
        self._anywhere = self.address if local is None else str(local)  # in any working directory
        self._work = WorkFolder(folder / ".work")

    def __repr__(self) -> str:
        return (
            f"Store({self.address!r})" if self.cache is None else f"Store({self.address!r}, {self.cache!r})"
        )

    def __reduce__(self) -> tuple[type["Store"], tuple[str, str | None]]:
        return Store, (self._anywhere, self.cache)

    def has(self, step: Step) -> bool:
        """Whether the artefact is there, every file in its size. Contents are compared by `fetch`."""
        try:
            return self._shelf.manifest(step) is not None
        except Damage:
            return False

    def fetch(self, step: Step) -> Path:
        """A local folder with the artefact's files, each with its SHA-256, to be read only.

        Raises `Unsound` when it is not there or was damaged; then it has been moved aside.
        """
        try:
            found = self._fetched(step)
        except Damage:
            with self.lock(step):  # whoever held the lock may have made it again
                found = self._sound(step)
        if found is None:
            raise Unsound(f"{step.label} is not in {self.address}; run the study that makes it")
        return found

    def manifest(self, step: Step) -> Manifest:
        """What made the artefact; raises `Unsound` when it is not there or damaged."""
        with suppress(Damage):
            found = self._shelf.manifest(step)
            if found is not None:
                return found
        raise Unsound(f"{step.label} is not in {self.address}; run the study that makes it")

    def lock(self, step: Step, *, patient: bool = True) -> AbstractContextManager[None]:
        """Whoever holds it may make the artefact. Waits, or raises `Busy`.

        Between processes of one machine, and of several where the store is a folder that locks work on.
        Where machines share no lock, two may do the same work; then the first one's copy stays.
        """
        return self._work.lock(step.place, patient=patient)

    def settle(self, step: Step) -> bool:
        """Whether the artefact is there, with a damaged one moved aside; call with the lock held."""
        try:
            found = self._shelf.manifest(step) is not None
        except Damage as damage:
            self._set_aside(step, damage)
            return False
        if found:
            self._work.clear(step.place)
        return found

    @contextmanager
    def work(self, step: Step) -> Iterator[Place]:
        """Folders for one start of a step, logged; what was not published is gone at the end."""
        with self._work.place(step.place) as place:
            self.log("started", step, run=place.run)
            yield place

    def publish(self, step: Step, place: Place, *, seconds: float, device: str) -> Manifest | None:
        """Makes what was written to `place.folder` the artefact, and forgets the scratch.

        None when another process published it meanwhile, without a lock: its copy stays.
        """
        manifest = Manifest.of(
            step, place.folder, run=place.run, seconds=seconds, starts=place.starts, device=device
        )
        first = self._shelf.publish(step, manifest, place.folder)
        self.log("finished" if first else "discarded", step, run=place.run, seconds=manifest.seconds)
        self._work.clear(step.place)
        return manifest if first else None

    def log(self, event: EventName, step: Step, **details: Json) -> None:
        """Adds to the append-only log: what, which step, when, which process."""
        time = datetime.now(UTC).isoformat(timespec="microseconds")
        entry = {"event": event, "kind": step.kind, "key": step.key, "time": time}
        self._shelf.append({**entry, "host": socket.gethostname(), "pid": os.getpid(), **details})

    def events(self) -> list[dict[str, Json]]:
        """The log, oldest first."""
        return self._shelf.events()

    def durations(self, kind: str, most: int = 1000) -> list[tuple[str, float]]:
        """The likeness of up to `most` steps of a kind that were made, and the seconds that each took."""
        found = parsed(islice(self._shelf.manifests(kind), most))
        return [
            (likeness(values.get("description")), float(values["seconds"]))
            for values in found
            if isinstance(values.get("seconds"), (int, float))
        ]

    def places(self) -> dict[str, int]:
        """Bytes by "kind/key" of artefacts, whole or not, and by "damaged/kind/key-..."."""
        return self._shelf.places()

    def seconds(self, kind: str) -> dict[str, float]:
        """What the artefacts of a kind took, by key; those without a readable manifest are left out."""
        found = parsed(self._shelf.manifests(kind))
        return {
            values["key"]: float(values["seconds"]) for values in found if {"key", "seconds"} <= values.keys()
        }

    def unfinished(self) -> dict[str, tuple[int, bool]]:
        """Bytes of unfinished work on this machine by "kind/key", and whether a process is at it now."""
        return self._work.left()

    def remove(self, place: str) -> None:
        """Deletes what `places` lists, with unfinished work on it; raises `Busy` where a process is at it."""
        if place.startswith(f"{DAMAGED}/"):
            self._shelf.remove(place)
            return
        with self._work.lock(place, patient=False):
            self._shelf.remove(place)
            self._work.discard(place)

    def discard(self, place: str) -> None:
        """Deletes unfinished work on "kind/key"; raises `Busy` where a process is at it."""
        with self._work.lock(place, patient=False):
            self._work.discard(place)

    def sweep(self, stale_hours: float = STALE_HOURS) -> None:
        """Removes what dead processes left: old unfinished copies, and the scratch of what is published."""
        self._work.sweep(self._shelf.published, stale_hours)

    def _fetched(self, step: Step) -> Path | None:
        manifest = self._shelf.manifest(step)
        return None if manifest is None else self._shelf.fetch(step, manifest)

    def _sound(self, step: Step) -> Path | None:
        try:
            return self._fetched(step)
        except Damage as damage:
            self._set_aside(step, damage)
            return None

    def _set_aside(self, step: Step, damage: Damage) -> None:
        kept = self._shelf.set_aside(step)
        _log.warning("%s in %s was damaged (%s); moved to %s", step.label, self.address, damage, kept)
        self.log("damaged", step, reason=str(damage), kept=kept)


def _local_path(address: str) -> Path | None:
    protocol, separator, path = address.partition("://")
    if separator and protocol not in ("file", "local"):
        return None
    folder = Path(path if separator else address).expanduser()
    if not address or (folder.exists() and not folder.is_dir()):
        raise InputError(f"the store must be a folder or an address like s3://bucket/path, got {address!r}")
    return folder.absolute()


def _default_cache(address: str) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "purifold" / sha256(address.encode()).hexdigest()[:12]


def _remote(address: str, cache: Path) -> RemoteShelf:
    from fsspec.core import url_to_fs

    try:
        system, root = url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise InputError(f"the store address {address!r} cannot be used: {error}") from error
    return RemoteShelf(system, root, cache)
