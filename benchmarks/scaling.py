"""The real scheduler over simulated steps, for 1 to 10,000 workers: what it costs and where it breaks.

`purifold.engine.execute` runs as on a cluster; only time is simulated. The clock goes on by the processor
time that the scheduler really takes, and by what handing a step to Ray takes (`--ray-ms`, as
`benchmarks/engine.py --ray auto` measures it): the driver is one process, and while it works nothing else is
handed out. Durations are drawn from the records in results/: of a training from the training curves, of any
other step the mean over the steps of one record. Run by `make bench`.
"""

import argparse
import json
import random
import resource
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, ClassVar, final

from benchmarks.timing import made

from purifold.engine.attempt import Attempt
from purifold.engine.execute import Executor, execute
from purifold.engine.progress import silent
from purifold.engine.step import Step, Workbench
from purifold.engine.store import Store

WORKERS = (1, 10, 100, 1_000, 10_000)
CRAFTS = 8
SHARED = 20
"""Experiments that share a classifier."""


def _peak() -> float:
    """Most megabytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


AT_START = _peak()


@final
@dataclass(frozen=True, kw_only=True)
class Simulated(Step):
    """A step that would take so many seconds."""

    kind: ClassVar[str] = "simulated"

    number: int
    seconds: float
    parts: tuple[Step, ...] = ()

    def run(self, bench: Workbench) -> None:
        """Is never called."""


@final
class Simulation(Executor):
    """Workers on a clock that goes on by what the driver and the steps take."""

    parallel: ClassVar[bool] = True
    retries: ClassVar[int] = 0
    poll: ClassVar[float] = 0.0

    def __init__(self, workers: int, handing: float) -> None:
        self.workers, self.handing = workers, handing
        self.clock = 0.0
        self.driver = 0.0
        self.planned: float | None = None
        self._running: list[tuple[float, str, Step]] = []
        self._left = time.process_time()

    def room(self) -> bool:
        """Whether a worker is idle."""
        return len(self._running) < self.workers

    def start(self, step: Step, report: Callable[[float, str], None]) -> None:
        """Takes a worker until the step has ended."""
        self._charge(self.handing)
        report(0.0, "")
        heappush(self._running, (self.clock + step.seconds, step.key, step))

    def ended(self) -> list[tuple[Step, Attempt]]:
        """The next that ends, and all that ended while the driver was at work."""
        self._charge()
        self.clock = max(self.clock, self._running[0][0])
        found = []
        while self._running and self._running[0][0] <= self.clock:
            step = heappop(self._running)[2]
            found.append((step, Attempt(ending="made", seconds=step.seconds)))
        self._left = time.process_time()
        return found

    def _charge(self, extra: float = 0.0) -> None:
        now = time.process_time()
        spent, self._left = now - self._left + extra, now
        if self.planned is None:
            self.planned = spent
        else:
            self.driver += spent
        self.clock += spent


def durations(results: Path) -> tuple[list[float], list[float]]:
    """Seconds of trainings, and mean seconds of the steps of each record."""
    trainings: list[float] = []
    others: list[float] = []
    for index in sorted(results.glob("*/index.json")):
        curves = json.loads(index.read_text())["trainings"].values()
        trainings += [sum(curve["seconds"]) for curve in curves]
        for path in sorted((index.parent / "records").glob("*.json")):
            record = json.loads(path.read_text())
            attacked = sum(len(outcome["attacks"]) for outcome in record["outcomes"])
            others.append(record["seconds"] / (attacked + len(record["outcomes"]) + 3))
    return trainings, others


def study(count: int, trainings: list[float], others: list[float]) -> list[Step]:
    """About `count` steps, as experiments have them; the last of each experiment are wanted."""
    dice = random.Random(0)
    wanted: list[Step] = []
    made = 0

    def step(drawn: list[float], *parts: Step) -> Step:
        nonlocal made
        made += 1
        return Simulated(number=made, seconds=dice.choice(drawn), parts=parts)

    while made < count:
        if len(wanted) % (2 * SHARED) == 0:
            classifier = step(trainings)
        autoencoder = step(trainings, classifier)
        judged = [step(others, step(others, classifier, autoencoder)) for _ in range(CRAFTS)]
        wanted += [step(others, *judged), step(others, *judged[:2])]
    return wanted


def longest(steps: list[Step]) -> tuple[float, float, int]:
    """Seconds of all steps, of the longest chain of them, and how many there are."""
    ends: dict[str, float] = {}
    total = 0.0
    waiting = list(steps)
    while waiting:
        step = waiting[-1]
        open_ = [part for part in step.parts if part.key not in ends]
        waiting += open_
        if not open_:
            waiting.pop()
            if step.key not in ends:
                total += step.seconds
                ends[step.key] = step.seconds + max((ends[part.key] for part in step.parts), default=0.0)
    return total, max(ends.values()), len(ends)


def simulated(steps: list[Step], workers: int, handing: float) -> dict[str, Any]:
    """One run of the scheduler."""
    executor = Simulation(workers, handing)
    execute(steps, Store(f"memory://{uuid.uuid4().hex}"), executor, silent)
    total, chain, count = longest(steps)
    least = max(total / workers, chain)
    return {
        "workers": workers,
        "steps": count,
        "hours": executor.clock / 3600,
        "efficiency": least / (executor.clock - executor.planned),
        "busy": total / workers / executor.clock,
        "plan_ms": 1000 * executor.planned / count,
        "driver_ms": 1000 * executor.driver / count,
        "mean_seconds": total / count,
        "megabytes": _peak() - AT_START,
    }


def main() -> None:
    """Simulates, prints a table and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--ray-ms", type=float, default=0.0, help="Of the driver, to hand one step to Ray.")
    parser.add_argument("--shrink", type=float, default=1.0, help="Divides all durations.")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--out", type=Path, help="JSON file.")
    options = parser.parse_args()
    trainings, others = ([value / options.shrink for value in drawn] for drawn in durations(options.results))
    print("| workers | hours | of the least possible | workers busy | driver, ms a step | plan, ms a step |")
    print("|---|---|---|---|---|---|")
    rows = []
    for workers in WORKERS:
        row = simulated(study(options.steps, trainings, others), workers, options.ray_ms / 1000)
        rows.append(row)
        shares = f"{100 * row['efficiency']:.1f} % | {100 * row['busy']:.1f} %"
        costs = f"{row['driver_ms']:.3f} | {row['plan_ms']:.3f}"
        print(f"| {workers:,} | {row['hours']:,.2f} | {shares} | {costs} |", flush=True)
    last = rows[-1]
    rate = 1000 / last["driver_ms"]
    print(
        f"\n{last['steps']:,} steps of {last['mean_seconds']:.2f} s on average; the driver hands out "
        f"{rate:,.0f} a second, which keeps {rate * last['mean_seconds']:,.0f} workers busy; it takes "
        f"{last['megabytes']:.0f} MB."
    )
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(
            json.dumps({"ray_ms": options.ray_ms, "runs": rows, **made()}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
