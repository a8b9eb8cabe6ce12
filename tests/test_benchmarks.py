"""The simulation of the scheduler, where the answer is known; and that it runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def scaling(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import scaling

    yield scaling
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


@pytest.mark.parametrize(("workers", "rounds"), [(1, 60), (7, 9), (60, 1), (100, 1)])
def test_equal_steps_take_as_many_rounds_as_they_must(scaling: ModuleType, workers: int, rounds: int) -> None:
    steps = [scaling.Simulated(number=place, seconds=1000.0) for place in range(60)]
    found = scaling.simulated(steps, workers, 0.0)
    assert found["hours"] * 3600 == pytest.approx(1000 * rounds, abs=5)
    assert found["busy"] == pytest.approx(60 / workers / rounds, rel=0.01)


def test_a_driver_that_hands_out_one_step_a_second_keeps_as_many_workers_busy_as_steps_take_seconds(
    scaling: ModuleType,
) -> None:
    steps = [scaling.Simulated(number=place, seconds=10.0) for place in range(1_000)]
    many = scaling.simulated(steps, 100, 1.0)
    assert many["hours"] * 3600 == pytest.approx(1_000 + 10, rel=0.01)
    assert many["busy"] == pytest.approx(10 / 100, rel=0.02)
    few = scaling.simulated(steps, 5, 1.0)
    assert 200 * 10 <= few["hours"] * 3600 <= 200 * 10 + 1_000


def test_the_least_possible_time_is_that_of_the_longest_chain(scaling: ModuleType) -> None:
    chain = scaling.Simulated(number=0, seconds=5.0)
    for place in range(1, 4):
        chain = scaling.Simulated(number=place, seconds=5.0, parts=(chain,))
    beside = scaling.Simulated(number=9, seconds=8.0)
    assert scaling.longest([chain, beside]) == (28.0, 20.0, 5)


@pytest.mark.slow
def test_the_simulation_runs_as_the_page_says() -> None:
    command = [sys.executable, "-m", "benchmarks.scaling", "--steps", "1000", "--ray-ms", "2"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line for line in found.stdout.splitlines() if line.startswith("| 1")]
    assert len(rows) == 5
    assert float(rows[0].split("|")[3].rstrip(" %")) > 90  # one worker is kept busy
