"""A real study, killed at random moments and started again, ends as one that was left alone."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from purifold.engine.step import Resources
from purifold.engine.store import Store

PROGRAM = """
import sys, torch
from purifold.engine.compose import Question, compose
from purifold.engine.local import run
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.store import Store

torch.set_num_threads(1)
sizes = dict(images=12, seen=5_500, encoded=11_000, epochs=5, draws=2, eot=2, audit=4, played=1_000)
tiny = Scale(name="smoke", **sizes)
question = Question(data="digits", defenses=("none", "vae"), attacks=("pgd:steps=5",), epsilons=(0.1, 0.3))
experiments = compose(question, tiny, Resources())
run([step for experiment in experiments for step in experiment.steps()], Store(sys.argv[1]), Resources())
"""


def start(folder):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stderr=subprocess.DEVNULL)


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
    while process.poll() is None and len(Store(folder).events()) < before + events:
        time.sleep(0.02)
    time.sleep(seconds)


@pytest.mark.slow
def test_a_study_killed_at_random_moments_ends_as_one_left_alone(tmp_path):
    whole = start(tmp_path / "whole")
    assert whole.wait() == 0

    dice, kills, status = random.Random(0), 0, None
    while status != 0:
        process = start(tmp_path / "killed")
        if kills < 6:
            lasting(process, tmp_path / "killed", events=dice.randint(1, 6), seconds=dice.uniform(0, 0.3))
        if process.poll() is None and kills < 6:
            process.kill()
            kills += 1
        status = process.wait()
    assert kills >= 1

    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    finished = [event for event in Store(tmp_path / "killed").events() if event["event"] == "finished"]
    keys = [event["key"] for event in finished]
    assert len(keys) == len(set(keys))
    assert sum(event["kind"].startswith("train") for event in finished) <= 2


@pytest.mark.slow
def test_two_processes_on_one_store_share_the_work(tmp_path):
    both = [start(tmp_path) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    finished = [event["key"] for event in Store(tmp_path).events() if event["event"] == "finished"]
    assert len(finished) == len(set(finished))


def test_resources_are_plain_values():
    assert json.loads(json.dumps(vars(Resources()))) == {"data_root": None, "device": "cpu", "logs": None}
