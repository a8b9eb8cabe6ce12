"""A study on an executor that does several steps at a time and loses, breaks and delays some of them."""

import errno
import random
from collections import Counter, deque
from collections.abc import Callable
from types import ModuleType
from typing import ClassVar

import pytest

from purifold.engine.attempt import Attempt, attempt
from purifold.engine.execute import Executor, execute
from purifold.engine.make import DiskFull
from purifold.engine.progress import Event, silent
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store
from purifold.engine.study import StudyFailure
from purifold.errors import Failure, InputError


class Rough(Executor):
    """Runs steps when it is asked for results, in a random order; first it gives the endings planned."""

    parallel: ClassVar[bool] = True
    retries: ClassVar[int] = 2
    poll: ClassVar[float] = 0.0

    def __init__(self, store: Store, resources: Resources, planned: dict[str, list[Attempt]]) -> None:
        self.store, self.resources = store, resources
        self.planned = {name: deque(attempts) for name, attempts in planned.items()}
        self.running: list[Step] = []
        self.most = 0
        self.starts: Counter[str] = Counter()
        self.dice = random.Random(0)

    def room(self) -> bool:
        return len(self.running) < 4

    def start(self, step: Step, report: Callable[[float, str], None]) -> None:
        report(0.0, "")
        self.running.append(step)
        self.starts[step.name] += 1
        self.most = max(self.most, len(self.running))

    def ended(self) -> list[tuple[Step, Attempt]]:
        if not self.running:
            return []
        step = self.running.pop(self.dice.randrange(len(self.running)))
        planned = self.planned.get(step.name)
        if planned:
            return [(step, planned.popleft())]
        return [(step, attempt(step, self.store, self.resources, silent_report))]


def silent_report(fraction: float, note: str) -> None:
    """Says nothing."""


def failed(message: str) -> Attempt:
    return Attempt(ending="failed", error=ValueError(message))


LOST = Attempt(ending="lost", error=Failure("the worker died"))
BUSY = Attempt(ending="busy")


def test_lost_busy_and_failed_attempts_are_made_up_for(
    store: Store, resources: Resources, program: ModuleType
) -> None:
    steps = program.study()
    planned = {
        "first-0": [LOST, BUSY, failed("no")],
        "second-4": [failed("a"), failed("b")],
        "third-2": [BUSY],
    }
    executor = Rough(store, resources, planned)
    events: list[Event] = []
    report = execute(steps, store, executor, events.append)
    assert program.right(store, steps)
    assert program.ends(resources) == dict.fromkeys(program.every(steps), 1)
    assert executor.starts["first-0"] == 4
    assert executor.starts["second-4"] == 3
    assert executor.starts.total() == 15 + 6
    assert executor.most == 4
    assert len(report.made) == 15
    again = [(event.label, event.note) for event in events if event.state == "again"]
    assert sorted(again) == [
        ("first-0", "no"),
        ("first-0", "the worker died"),
        ("second-4", "a"),
        ("second-4", "b"),
    ]
    assert [event["key"] for event in store.events() if event["event"] == "lost"] == [
        step.key for step in program.every(steps).values() if step.name == "first-0"
    ]
    assert max(event.running for event in events) == 4
    assert (events[-1].done, events[-1].total, events[-1].running) == (15, 15, 0)


@pytest.mark.parametrize(
    ("attempts", "starts"),
    [
        ([failed(name) for name in "abc"], 3),
        ([LOST] * 11, 11),
        ([Attempt(ending="failed", error=InputError("c: wrong from the start"))], 1),
    ],
)
def test_what_goes_wrong_too_often_is_given_up_and_the_rest_goes_on(
    store: Store, resources: Resources, program: ModuleType, attempts: list[Attempt], starts: int
) -> None:
    steps = program.study()
    executor = Rough(store, resources, {"second-4": attempts})
    with pytest.raises(StudyFailure, match="1 of 15 steps failed, 2 that need them were left out: second-4"):
        execute(steps, store, executor, silent)
    assert executor.starts["second-4"] == starts
    assert sum(store.has(step) for step in program.every(steps).values()) == 12


def test_a_full_disk_ends_everything_at_once(store: Store, resources: Resources, program: ModuleType) -> None:
    full = Attempt(ending="failed", error=DiskFull("no space left"))
    executor = Rough(store, resources, {"first-1": [full]})
    with pytest.raises(DiskFull):
        execute(program.study(), store, executor, silent)
    assert executor.starts["first-1"] == 1
    assert executor.starts.total() < 15


def test_a_disk_too_full_for_the_log_of_a_lost_worker_ends_in_one_line(
    store: Store, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    executor = Rough(store, resources, {"first-1": [LOST]})
    monkeypatch.setattr(Store, "log", full)
    with pytest.raises(DiskFull, match="free some and run the same command again") as caught:
        execute(program.study()[:1], store, executor, silent)
    assert len(str(caught.value).splitlines()) == 1


def test_the_time_left_is_shared_by_what_runs_at_a_time(
    store: Store, resources: Resources, program: ModuleType
) -> None:
    events: list[Event] = []
    steps = [program.Mix(name=f"{place}") for place in range(20)]
    with store.work(steps[0]) as place:
        (place.folder / "a").write_bytes(b"a")
        store.publish(steps[0], place, seconds=8.0, device="cpu")
    execute(steps, store, Rough(store, resources, {}), events.append)
    assert [event.remaining for event in events if event.state == "running"][:4] == [
        pytest.approx(19 * 8, rel=0.01),
        pytest.approx(19 * 8 / 2, rel=0.01),
        pytest.approx(19 * 8 / 3, rel=0.01),
        pytest.approx(19 * 8 / 4, rel=0.01),
    ]
