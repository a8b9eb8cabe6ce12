"""Store: an artefact is there whole, or not at all; a damaged one is never handed out and never lost."""

import hashlib
import os
import pickle
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.make import make
from purifold.engine.manifest import MANIFEST
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store, Unsound
from purifold.engine.work import Busy, WorkFolder
from purifold.errors import Failure, InputError

Rewrite = Callable[[Step, str, Callable[[bytes], bytes | None]], None]
DIGEST = "deep/digest.bin"


def quiet(fraction: float, note: str) -> None:
    pass


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_a_step_wrote_is_what_is_fetched(
    made: Step, elsewhere: Store, store: Store, program: ModuleType
) -> None:
    for reader in (store, elsewhere):
        folder = reader.fetch(made)
        assert (folder / DIGEST).read_bytes() == program.expected(made)
        assert (folder / "long.bin").read_bytes() == program.expected(made) * 2000


def test_the_manifest_tells_what_made_the_artefact(made: Step, store: Store) -> None:
    manifest = store.manifest(made)
    folder = store.fetch(made)
    assert manifest.description == made.describe()
    assert manifest.key == made.key
    assert {name: (entry.size, entry.sha256) for name, entry in manifest.files.items()} == {
        name: ((folder / name).stat().st_size, hashlib.sha256((folder / name).read_bytes()).hexdigest())
        for name in (DIGEST, "long.bin")
    }
    assert manifest.starts == 1
    assert manifest.seconds >= 0
    assert manifest.versions["python"].startswith("3.")
    assert manifest.hardware["cores"] == os.cpu_count()


def test_nothing_is_there_before_it_is_made(step: Step, store: Store) -> None:
    assert not store.has(step)
    for ask in (store.fetch, store.manifest):
        with pytest.raises(Unsound, match="only is not in"):
            ask(step)


def test_making_a_store_object_and_asking_it_writes_nothing(tmp_path: Path, step: Step) -> None:
    store = Store(tmp_path / "new")
    assert not store.has(step)
    assert store.events() == []
    assert store.durations("mix") == []
    store.sweep()
    assert not (tmp_path / "new").exists()


def test_a_step_that_raises_leaves_nothing_but_its_scratch(
    *,
    step: Step,
    store: Store,
    resources: Resources,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: ModuleType,
) -> None:
    def broken(resources: Resources, line: str) -> None:
        raise ValueError("no")

    with monkeypatch.context() as patch:
        patch.setattr(program, "journal", broken)
        with pytest.raises(ValueError, match="no"):
            make(step, store, resources, quiet)
    assert not store.has(step)
    assert [event["event"] for event in store.events()] == ["started", "failed"]
    left = files_below(tmp_path)
    assert not [name for name in left if "digest.bin" in name or "long.bin" in name]
    assert [name for name in left if name.endswith(".scratch/rounds.json")]
    assert make(step, store, resources, quiet).starts == 2
    assert not [name for name in files_below(tmp_path) if ".work" in name]


def test_a_remote_artefact_counts_from_its_manifest_on(
    step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: ModuleType
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    store, resources = Store("memory://half", cache=tmp_path / "cache"), Resources(data_root=str(tmp_path))
    genuine = MemoryFileSystem.pipe_file

    def cut(self: MemoryFileSystem, path: str, value: bytes, **options: object) -> None:
        if path.endswith(MANIFEST):
            raise ConnectionError("gone")
        genuine(self, path, value, **options)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", cut)
        with pytest.raises(ConnectionError):
            make(step, store, resources, quiet)
    assert MemoryFileSystem().find("/half/mix")
    assert not store.has(step)
    assert make(step, store, resources, quiet) is not None
    assert (
        Store("memory://half", cache=tmp_path / "new").fetch(step) / DIGEST
    ).read_bytes() == program.expected(step)


def test_one_who_comes_second_without_a_lock_discards_its_copy(
    store: Store, monkeypatch: pytest.MonkeyPatch, program: ModuleType
) -> None:
    both, results = threading.Barrier(2, timeout=20), []
    step = program.Nothing(number=1)

    def run(self: Step, bench: Workbench) -> None:
        (bench.folder / "who").write_text(bench.folder.name)
        both.wait()

    monkeypatch.setattr(program.Nothing, "run", run)
    monkeypatch.setattr(WorkFolder, "lock", lambda self, place, *, patient: nullcontext())
    threads = [
        threading.Thread(target=lambda: results.append(make(step, store, Resources(), quiet)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = next(result for result in results if result is not None)
    assert len(results) == 2
    assert results.count(None) == 1
    assert store.manifest(step).run == winner.run
    assert (store.fetch(step) / "who").read_text().endswith(winner.run)
    ended = {event["run"]: event["event"] for event in store.events() if event["event"] != "started"}
    assert ended.pop(winner.run) == "finished"
    assert list(ended.values()) == ["discarded"]


def test_a_lock_keeps_others_out_until_it_is_given_back(step: Step, store: Store) -> None:
    other = pickle.loads(pickle.dumps(store))
    with store.lock(step), pytest.raises(Busy), other.lock(step, patient=False):
        pass
    with other.lock(step, patient=False):
        pass


def test_a_store_sent_to_a_worker_is_the_same_store(made: Step, store: Store) -> None:
    arrived = pickle.loads(pickle.dumps(store))
    assert repr(arrived) == repr(store)
    assert arrived.has(made)


@pytest.mark.parametrize(("age", "locked", "stays"), [(30, False, False), (1, False, True), (30, True, True)])
def test_copies_of_dead_processes_go_when_old_and_unlocked(
    *, age: float, locked: bool, stays: bool, store: Store, step: Step, tmp_path: Path
) -> None:
    root = tmp_path / ("store" if store.cache is None else "cache") / ".work"
    copy = root / f"{step.place}.run-dead"
    copy.mkdir(parents=True)
    (copy / "half.bin").write_bytes(b"half")
    for path in (copy / "half.bin", copy):
        os.utime(path, (time.time() - age * 3600,) * 2)
    with store.lock(step) if locked else nullcontext():
        pickle.loads(pickle.dumps(store)).sweep()
    assert copy.exists() == stays


def test_scratch_stays_until_its_artefact_is_published(
    store: Store, made: Step, tmp_path: Path, program: ModuleType
) -> None:
    root = tmp_path / ("store" if store.cache is None else "cache") / ".work"
    open_step = program.Mix(name="open")
    for step in (made, open_step):
        (root / f"{step.place}.scratch").mkdir(parents=True)
    store.sweep()
    assert not (root / f"{made.place}.scratch").exists()
    assert (root / f"{open_step.place}.scratch").exists()


def test_the_log_is_read_past_a_torn_line(made: Step, store: Store, tmp_path: Path) -> None:
    before = store.events()
    assert [event["event"] for event in before] == ["started", "finished"]
    assert {event["pid"] for event in before} == {os.getpid()}
    if store.cache is None:
        with (tmp_path / "store" / "runs.jsonl").open("ab") as log:
            log.write(b'{"event": "star\n')
    store.log("started", made)
    assert store.events()[:2] == before
    assert len(store.events()) == 3


def test_durations_come_from_the_artefacts_of_a_kind(made: Step, store: Store) -> None:
    assert store.durations("mix") == [(made.likeness, store.manifest(made).seconds)]
    assert store.durations("other") == []


@pytest.mark.parametrize("bad", ["link", "empty", "manifest"])
def test_what_cannot_be_an_artefact_is_refused(
    *,
    bad: str,
    step: Step,
    store: Store,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
    program: ModuleType,
) -> None:
    def run(self: Step, bench: Workbench) -> None:
        if bad == "link":
            (bench.folder / "link").symlink_to("/etc/hosts")
        if bad == "manifest":
            (bench.folder / MANIFEST).write_text("{}")

    monkeypatch.setattr(program.Mix, "run", run)
    with pytest.raises(Failure, match="wrote no file" if bad == "empty" else "cannot be in an artefact"):
        make(step, store, resources, quiet)
    assert not store.has(step)


def test_an_address_that_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="the store must be a folder"):
        Store(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be used"):
        Store("nonsense://bucket")
    with pytest.raises(InputError, match="cache is for remote stores only"):
        Store(tmp_path / "store", cache=tmp_path)
