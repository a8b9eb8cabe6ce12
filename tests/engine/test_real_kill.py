"""A real study, killed at random moments and started again, ends as one that was left alone."""

import json
import multiprocessing
import random
import runpy
import time
from pathlib import Path

import pytest

from purifold.engine.step import Resources
from purifold.engine.store import Store

PROGRAM = Path(__file__).with_name("killed_program.py")
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["purifold.engine.compose", "purifold.engine.local", "purifold.training.fit", "sklearn.datasets"]
)


def start(folder):
    """A process of its own; what it imports was imported once, by the server that it is forked from."""
    process = CONTEXT.Process(
        target=runpy.run_path, args=(str(PROGRAM),), kwargs={"init_globals": {"folder": str(folder)}}
    )
    process.start()
    return process


def status(process):
    """How it ended, which it may have to be waited for."""
    process.join()
    return process.exitcode


def contents(folder):
    """Files of the artefacts by path, without what tells when and where they were made."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
        and path.name not in ("artefact.json", "history.json")  # both hold seconds
        and not path.relative_to(folder).parts[0].startswith((".", "damaged"))
        and path.suffix in (".safetensors", ".npz", ".json")
    }


def lasting(process, folder, *, events, seconds):
    """Waits until the process has logged so many events, and a little longer; or until it has ended."""
    before = len(Store(folder).events())
    while process.is_alive() and len(Store(folder).events()) < before + events:
        time.sleep(0.02)
    time.sleep(seconds)


@pytest.mark.slow
def test_a_study_killed_at_random_moments_ends_as_one_left_alone(tmp_path):
    assert status(start(tmp_path / "whole")) == 0

    dice, kills, ended = random.Random(0), 0, None
    while ended != 0:
        process = start(tmp_path / "killed")
        if kills < 6:
            lasting(process, tmp_path / "killed", events=dice.randint(1, 6), seconds=dice.uniform(0, 0.3))
        if process.is_alive() and kills < 6:
            process.kill()
            kills += 1
        ended = status(process)
    assert kills >= 3

    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    finished = [event for event in Store(tmp_path / "killed").events() if event["event"] == "finished"]
    keys = [event["key"] for event in finished]
    assert len(keys) == len(set(keys))
    assert sum(event["kind"].startswith("train") for event in finished) <= 2


@pytest.mark.slow
def test_two_processes_on_one_store_share_the_work(tmp_path):
    both = [start(tmp_path) for _ in range(2)]
    assert [status(process) for process in both] == [0, 0]
    finished = [event["key"] for event in Store(tmp_path).events() if event["event"] == "finished"]
    assert len(finished) == len(set(finished))


def test_resources_are_plain_values():
    assert json.loads(json.dumps(vars(Resources()))) == {"data_root": None, "device": "cpu", "logs": None}
