"""What lies in a store, and what of it may go."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.inventory import clean, inventory, waste
from purifold.engine.local import run
from purifold.engine.manifest import MANIFEST
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store
from purifold.engine.study import StudyFailure

Rewrite = Callable[[Step, str, Callable[[bytes], bytes | None]], None]
KILLED = """
import os, signal, sys
from study_program import Mix
from purifold.engine.store import Store
store = Store(*sys.argv[1:])
step = Mix(name="killed")
store.lock(step).__enter__()
with store.work(step) as place:
    (place.folder / "half").write_bytes(b"x" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    """One that another process can open, too."""
    return Store(tmp_path / "store")


@pytest.fixture
def steps(store: Store, resources: Resources, program: ModuleType) -> list[Step]:
    """A study that was run."""
    run(program.study(), store, resources)
    return program.study()


def killed_in(store: Store) -> None:
    """Lets a process die in the middle of a step."""
    paths = os.pathsep.join([*filter(None, sys.path), str(Path(__file__).parent)])
    command = [sys.executable, "-c", KILLED, store.address, *([store.cache] if store.cache else [])]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False)


def test_everything_made_is_listed_with_its_size_and_time(
    store: Store, steps: list[Step], program: ModuleType
) -> None:
    found = inventory(store)
    every = program.every(steps).values()
    assert found.sizes.keys() == found.seconds.keys() == {step.place for step in every}
    for step in every:
        folder = Path(store.address) / step.place
        assert found.sizes[step.place] == sum(
            path.stat().st_size for path in folder.rglob("*") if path.is_file()
        )
        assert found.seconds[step.place] == store.manifest(step).seconds
    assert not any((found.running, found.unfinished, found.failed, found.damaged))


def test_a_remote_store_lists_the_same_places(
    tmp_path: Path, resources: Resources, program: ModuleType, store: Store, steps: list[Step]
) -> None:
    remote = Store(f"memory://{tmp_path.name}-listed", cache=tmp_path / "cache")
    run(program.study(), remote, resources)
    assert inventory(remote).sizes == pytest.approx(inventory(store).sizes, abs=200)  # manifests differ
    assert not inventory(remote).damaged


def test_running_failed_unfinished_and_damaged_steps_are_told_apart(
    store: Store, steps: list[Step], program: ModuleType, resources: Resources, rewrite: Rewrite
) -> None:
    def broken(self: Step, bench: object) -> None:
        raise ValueError("diverged")

    failing, busy, torn = program.Mix(name="failing"), program.Mix(name="busy"), steps[0].parts[0]
    rewrite(torn, MANIFEST, lambda content: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program.Mix, "run", broken)
        with pytest.raises(StudyFailure):
            run([failing], store, resources)
    killed_in(store)
    with store.lock(busy), store.work(busy):
        found = inventory(store)
    assert found.running == {busy.place}
    assert found.failed == {failing.place: "ValueError: diverged"}
    assert found.unfinished.keys() == {failing.place, program.Mix(name="killed").place}
    assert found.unfinished[program.Mix(name="killed").place] >= 1000
    assert found.damaged.keys() == {torn.place}
    assert len(found.sizes) == 14


def test_a_step_begun_on_another_machine_counts_as_running(
    store: Store, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = program.Mix(name="far")
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "far-away")
        store.log("started", step)
    assert inventory(store).running == {step.place}


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_cleaning_removes_what_no_study_needs_and_nothing_else(
    kind: str, tmp_path: Path, resources: Resources, program: ModuleType
) -> None:
    memory = Store(f"memory://{tmp_path.name}-cleaned", cache=tmp_path / "cache")
    store = Store(tmp_path / "store") if kind == "local" else memory
    run(program.study(), store, resources)
    kept = program.every(program.study()[:1])
    gone = program.every(program.study()).keys() - kept.keys()
    before = store.places()
    found = waste(store, {step.place for step in kept.values()})
    assert store.places() == before  # looking changes nothing
    assert {place.split("/")[1] for place in found.unreferenced} == gone
    assert clean(store, found) == sum(found.unreferenced.values())
    assert store.places() == {step.place: before[step.place] for step in kept.values()}
    assert program.right(store, program.study()[:1])
    assert len(run(program.study(), store, resources).made) == len(gone)


def test_without_studies_only_waste_goes(
    store: Store, steps: list[Step], program: ModuleType, resources: Resources, rewrite: Rewrite
) -> None:
    rewrite(steps[0], "deep/digest.bin", lambda content: b"x" * len(content))
    run(steps, store, resources)
    killed_in(store)
    found = waste(store, None)
    assert not found.unreferenced
    assert [place.split("/")[0] for place in found.damaged] == ["damaged"]
    assert found.unfinished.keys() == {program.Mix(name="killed").place}
    clean(store, found)
    after = inventory(store)
    assert len(after.sizes) == 15
    assert not any((after.unfinished, after.damaged))
    assert not list(Path(store.address).rglob("*.run-*"))


def test_what_a_process_works_on_stays(store: Store, steps: list[Step], program: ModuleType) -> None:
    found = waste(store, set())
    assert len(found.unreferenced) == 15
    with store.lock(steps[0]):
        clean(store, found)
    assert store.places().keys() == {steps[0].place}


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_cleaning_a_folder_that_is_no_store_deletes_nothing(
    kind: str, tmp_path: Path, resources: Resources, program: ModuleType
) -> None:
    """Neither what lies there of others, nor a store below."""
    from fsspec.core import url_to_fs

    address = str(tmp_path / "home") if kind == "local" else f"memory://{tmp_path.name}-home"
    cache = {} if kind == "local" else {"cache": tmp_path / "cache"}
    run(program.study(), Store(f"{address}/store", **cache), resources)
    system, root = url_to_fs(address)
    for name in ("Documents/thesis/thesis.tex", "notes/today/all/notes.txt", "a-b/c/d"):
        system.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
        system.pipe_file(f"{root}/{name}", b"x")
    before = system.find(root)
    wrong = Store(address, **cache)
    for needed in (None, set()):
        clean(wrong, waste(wrong, needed))
    assert system.find(root) == before
    assert len(before) > 3
