"""A study in processes: killed anywhere, beside another, and what the engine costs."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.local import run
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store
from purifold.engine.work import WorkFolder

PROGRAM = Path(__file__).with_name("study_program.py")
DIGEST = "deep/digest.bin"
Rewrite = Callable[[Step, str, Callable[[bytes], bytes | None]], None]


def start(mode: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), mode, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_the_store_is_sound_after_a_kill_before_any_file_access(tmp_path: Path, program: ModuleType) -> None:
    with start("crash", tmp_path) as process:
        seen = [json.loads(line) for line in process.communicate()[0].splitlines()]
    assert len(seen) > 50
    assert [crash["ended"] for crash in seen] == [-signal.SIGKILL] * (len(seen) - 1) + [0]
    for crash in seen:
        assert crash["torn"] == 0, crash
        assert crash["restarted"] == 0, crash
        assert crash["kept"], crash  # what was published before the kill was not made again
        assert crash["right"], crash
        assert crash["started"] <= 3, crash
        assert crash["scratch"] == 0, crash
    finished = Counter(crash["finished"] for crash in seen)
    assert finished.keys() <= {1, 2}
    assert finished[1] <= 6  # killed between the rename and the log


def test_a_study_killed_again_and_again_ends_as_an_undisturbed_one(
    tmp_path: Path, resources: Resources, program: ModuleType
) -> None:
    seconds, moments = 0.032, random.Random(4)
    steps = program.every(program.study(seconds))
    store, undisturbed = Store(tmp_path / "store"), Store(tmp_path / "undisturbed")
    kills, runs = 0, {}
    while not all(store.has(step) for step in program.study(seconds)):
        with start("run", tmp_path / "store", seconds) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.04 * 2 ** (kills / 20)))  # longer on a busy machine
            process.kill()
        kills += process.returncode == -signal.SIGKILL
        present = [step for step in steps.values() if (tmp_path / "store" / step.place).exists()]
        now = {step.key: store.manifest(step).run for step in present}
        assert runs.items() <= now.items()  # nothing published is torn, lost or made again
        runs = now
    assert kills >= 10
    (tmp_path / "clean").mkdir()
    run(program.study(seconds), undisturbed, Resources(data_root=str(tmp_path / "clean")))
    for step in steps.values():
        for name in (DIGEST, "long.bin"):
            assert (store.fetch(step) / name).read_bytes() == (undisturbed.fetch(step) / name).read_bytes()
        assert store.manifest(step).files == undisturbed.manifest(step).files
    finished = Counter(event["key"] for event in store.events() if event["event"] == "finished")
    assert max(finished.values()) == 1


def test_two_processes_share_a_study_and_run_each_step_once(
    tmp_path: Path, resources: Resources, program: ModuleType
) -> None:
    together = time.time() + 1.0
    processes = [start("run", tmp_path / "store", 0.06, together) for _ in range(2)]
    made = [int(process.communicate()[0].split()[1]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    steps = program.study(0.06)
    assert program.ends(resources) == program.once(steps)
    assert sum(made) == 15
    assert min(made) >= 3  # the second did not just wait
    store = Store(tmp_path / "store")
    assert program.right(store, steps)
    assert Counter(event["event"] for event in store.events()) == {"started": 15, "finished": 15}


def test_the_engine_takes_under_5_ms_of_processor_time_a_step(tmp_path: Path) -> None:
    with start("overhead", tmp_path) as process:
        assert float(process.communicate()[0]) < 0.005


def test_two_runs_without_locks_still_end_right(
    tmp_path: Path, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import nullcontext

    monkeypatch.setattr(WorkFolder, "lock", lambda self, place, *, patient: nullcontext())

    def study(number: int) -> None:
        (tmp_path / str(number)).mkdir()
        store = Store("memory://unlocked", cache=tmp_path / f"cache-{number}")
        run(program.study(0.01), store, Resources(data_root=str(tmp_path / str(number))))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(study, range(3)))
    assert program.right(Store("memory://unlocked", cache=tmp_path / "new"), program.study(0.01))
