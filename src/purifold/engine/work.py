"""The local folder where artefacts are made: one lock, one scratch and the unfinished copies of each step."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from purifold.errors import Failure

STALE_HOURS = 24.0
"""Unfinished copies older than this, whose lock nobody holds, are left of dead processes."""


class Busy(Failure):
    """Another process makes this artefact at this moment."""


@final
@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one start of a step works.

    Args:
        folder: Empty at first, on the file system of the store, so that it can be renamed into it.
        scratch: Kept until the artefact is published; made by whoever uses it.
        run: Random name of this start.
        starts: How many starts there were, with this one.
    """

    folder: Path
    scratch: Path
    run: str
    starts: int


@final
class WorkFolder:
    """Holds `<kind>/<key>.lock`, `.starts`, `.scratch/` and a `.run-.../` for each start.

    Few folders: making and removing one costs more than all else that the engine does for a step.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def lock(self, place: str, *, patient: bool) -> Iterator[None]:
        """Holds the lock of "kind/key"; waits for it, or raises `Busy`. The system frees a dead process's."""
        from filelock import FileLock, Timeout

        path = self._path(place, "lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=-1 if patient else 0)
        except Timeout as error:
            raise Busy(f"another process makes {place}") from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def place(self, place: str) -> Iterator[Place]:
        """A new start of "kind/key"; its folder is removed at the end unless it was renamed away."""
        run = uuid.uuid4().hex[:12]
        folder = self._path(place, f"run-{run}")
        folder.mkdir(parents=True)
        with self._path(place, "starts").open("ab") as starts:
            starts.write(b".")  # one byte a start: an append cannot tear
        counted = self._path(place, "starts").stat().st_size
        try:
            yield Place(folder=folder, scratch=self._path(place, "scratch"), run=run, starts=counted)
        finally:
            if folder.exists():
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self, place: str) -> None:
        """Forgets a published step; call with its lock held. Copies of other starts stay."""
        if self._path(place, "scratch").exists():
            shutil.rmtree(self._path(place, "scratch"), ignore_errors=True)
        for ending in ("starts", "lock"):  # who waits for the lock finds the artefact published
            with suppress(OSError):
                self._path(place, ending).unlink()

    def left(self) -> dict[str, tuple[int, bool]]:
        """Bytes of what lies here by "kind/key", and whether a process is at it now."""
        found = {}
        for place, paths in self._by_place().items():
            files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
            busy = True
            with suppress(Busy), self.lock(place, patient=False):
                busy = False
            found[place] = (sum(_size(file) for file in files), busy)
        return found

    def discard(self, place: str) -> None:
        """Removes all that lies here of "kind/key"; call with its lock held."""
        for folder in self._root.glob(f"{place}.run-*"):
            shutil.rmtree(folder, ignore_errors=True)
        self.clear(place)

    def sweep(self, published: Callable[[str], bool], stale_hours: float = STALE_HOURS) -> None:
        """Removes what dead processes left: stale copies, and the scratch of published steps."""
        for place, paths in self._by_place().items():
            with suppress(Busy), self.lock(place, patient=False):
                for folder in paths:
                    if ".run-" in folder.name and time.time() - _touched(folder) > stale_hours * 3600:
                        shutil.rmtree(folder, ignore_errors=True)
                if published(place):
                    self.clear(place)

    def _by_place(self) -> dict[str, list[Path]]:
        left: dict[str, list[Path]] = {}
        for path in self._root.glob("*/*"):
            left.setdefault(f"{path.parent.name}/{path.name.partition('.')[0]}", []).append(path)
        return left

    def _path(self, place: str, ending: str) -> Path:
        return self._root / f"{place}.{ending}"


def _touched(folder: Path) -> float:
    times = [os.stat(folder).st_mtime]
    for path in folder.rglob("*"):
        with suppress(OSError):  # a writer may still be renaming its files
            times.append(path.lstat().st_mtime)
    return max(times)


def _size(file: Path) -> int:
    try:
        return 0 if file.is_dir() else file.lstat().st_size
    except OSError:  # renamed meanwhile
        return 0
