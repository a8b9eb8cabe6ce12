"""The study that the tests of the engine run, and stores of both sorts to run it in."""

import importlib.util
import sys
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.make import make
from purifold.engine.manifest import MANIFEST
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store

PROGRAM = Path(__file__).with_name("study_program.py")


@pytest.fixture(scope="session")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("study_program", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bench() -> Callable[..., Workbench]:
    """Makes a bench in a folder, on which artefacts of a store can be read."""

    def make(folder: Path, store: Store, steps: Iterable[Step]) -> Workbench:
        return Workbench(
            folder=folder,
            scratch_at=folder,
            resources=Resources(),
            fetched={step.key: store.fetch(step) for step in steps},
            report=lambda fraction, note: None,
        )

    return make


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store(tmp_path / "store")
    return Store(f"memory://{uuid.uuid4().hex}", cache=tmp_path / "cache")


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    return Resources(data_root=str(tmp_path))


@pytest.fixture
def step(program: ModuleType) -> Step:
    return program.Mix(name="only")


@pytest.fixture
def made(step: Step, store: Store, resources: Resources) -> Step:
    """A step whose artefact is in the store."""
    make(step, store, resources, lambda fraction, note: None)
    return step


@pytest.fixture
def elsewhere(store: Store, tmp_path: Path) -> Store:
    """The same store as another machine sees it: without what this one has fetched before."""
    return Store(store.address, cache=tmp_path / "other" if store.cache else None)


@pytest.fixture
def rewrite(store: Store) -> Callable[[Step, str, Callable[[bytes], bytes | None]], None]:
    """Changes a stored file behind the store's back; None deletes it."""

    def change(step: Step, name: str, edit: Callable[[bytes], bytes | None]) -> None:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(store.address)
        inside = "" if store.cache is None or name == MANIFEST else f"{store.manifest(step).run}/"
        path = f"{root}/{step.place}/{inside}{name}"
        content = edit(system.cat_file(path))
        if content is None:
            system.rm(path)
        else:
            system.pipe_file(path, content)

    return change
