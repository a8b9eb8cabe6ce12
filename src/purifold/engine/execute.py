"""Runs a study on an executor: what is made again, what is given up, and what is told of it."""

import math
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from typing import ClassVar, final

from purifold.engine.attempt import Attempt, Ending
from purifold.engine.make import DiskFull, disk_full, is_disk_full
from purifold.engine.plan import Forecast, needed
from purifold.engine.progress import Event, Listener, State
from purifold.engine.schedule import Schedule, longest_first
from purifold.engine.step import Step
from purifold.engine.store import Store, Unsound
from purifold.engine.study import StudyFailure, StudyReport, first_line
from purifold.errors import InputError

_REMAKES = 3
_LOSSES = 10
"""Workers that may die under one step: more often it is the step that kills them."""
_TICK_SECONDS = 0.1


class Executor(ABC):
    """Where steps run."""

    parallel: ClassVar[bool]
    """Whether it runs several at a time: then long chains start first, else one experiment after another."""
    retries: ClassVar[int]
    """How often a step that raised is tried again."""
    poll: ClassVar[float]
    """Seconds after which a step in other hands is tried again."""

    @abstractmethod
    def room(self) -> bool:
        """Whether another step may start."""

    @abstractmethod
    def start(self, step: Step, report: Callable[[float, str], None]) -> None:
        """Begins an attempt; `report` takes the fraction done and a note."""

    @abstractmethod
    def ended(self) -> list[tuple[Step, Attempt]]:
        """Attempts that ended; waits for one, but `poll` seconds at most."""


def execute(steps: Iterable[Step], store: Store, executor: Executor, listener: Listener) -> StudyReport:
    """Makes what the store lacks of `steps` and of what they need; see `purifold.engine.local.run`."""
    try:
        store.sweep()
        return _Study(steps, store, executor, listener).run()
    except OSError as error:  # of the store: those of steps are attempts that failed
        if is_disk_full(error):
            raise disk_full("the store was read and its log written", error, store) from error
        raise


@final
class _Study:
    """One run of a study."""

    def __init__(self, steps: Iterable[Step], store: Store, executor: Executor, listener: Listener) -> None:
        self._store, self._executor, self._listener = store, executor, listener
        wanted = {step.key: step for step in steps}
        self._found, todo = needed(
            wanted.values(), lambda step: self._verified(step) if step.key in wanted else store.has(step)
        )
        self._schedule = Schedule(longest_first(todo) if executor.parallel else todo)
        self._total = len(self._found) + len(todo)
        self._forecast = Forecast(store, todo)
        self._made: list[Step] = []
        self._failed: dict[str, tuple[Step, Exception]] = {}
        self._skipped: dict[str, Step] = {}
        self._begun: dict[str, float] = {}
        self._resumed = -math.inf
        self._tries: Counter[tuple[str, Ending]] = Counter()
        self._limits = {"failed": executor.retries, "unsound": _REMAKES, "lost": _LOSSES}

    def run(self) -> StudyReport:
        """Empties the schedule; raises `StudyFailure` at its end."""
        start = time.perf_counter()
        while self._schedule:
            self._fill()
            for step, attempt in self._executor.ended():
                self._settle(step, attempt)
            self._resume()
        report = StudyReport(
            made=tuple(self._made),
            found=tuple(self._found),
            failed=tuple(self._failed.values()),
            skipped=tuple(self._skipped.values()),
            seconds=time.perf_counter() - start,
        )
        if report.failed:
            raise StudyFailure(report) from report.failed[0][1]
        return report

    def _verified(self, step: Step) -> bool:
        try:
            self._store.fetch(step)
        except Unsound:
            return False
        return True

    def _fill(self) -> None:
        while self._executor.room() and (step := self._schedule.take()) is not None:
            self._begun[step.key] = time.perf_counter()
            self._executor.start(step, self._reporter(step))
        if not self._schedule.running and (deferred := self._schedule.deferred):
            self._tell("waiting", deferred[0], note="another process makes it")

    def _resume(self) -> None:
        """Offers what was deferred again, once nothing else is ready."""
        now = time.perf_counter()
        if not self._schedule.ready and now - self._resumed >= self._executor.poll:
            self._schedule.resume()
            self._resumed = now

    def _settle(self, step: Step, attempt: Attempt) -> None:
        if isinstance(attempt.error, DiskFull):
            raise attempt.error
        if attempt.error is not None:
            self._retry(step, attempt.ending, attempt.error)
        elif attempt.ending == "busy":
            self._schedule.defer(step)
        else:
            self._finish(step, attempt)

    def _finish(self, step: Step, attempt: Attempt) -> None:
        made = attempt.ending == "made"
        (self._made if made else self._found).append(step)
        if made:
            self._forecast.learn(step, attempt.seconds)
        self._schedule.finish(step)
        self._leave("made" if made else "found", step, seconds=time.perf_counter() - self._begun[step.key])

    def _retry(self, step: Step, ending: Ending, error: Exception) -> None:
        if ending == "lost":
            self._store.log("lost", step, error=str(error))
        self._tries[step.key, ending] += 1
        if isinstance(error, InputError) or self._tries[step.key, ending] > self._limits[ending]:
            self._fail(step, error)
            return
        gone = "an input is gone or was damaged, and is made again"
        self._tell("again", step, note=gone if ending == "unsound" else first_line(error))
        if ending == "unsound":
            self._remake(step)
        elif ending == "lost":
            self._schedule.again(step)
        else:
            self._schedule.defer(step)  # what broke it may have passed by then

    def _remake(self, step: Step) -> None:
        """Puts the step back behind those of its inputs that are gone."""
        missing = needed(step.inputs(), self._store.has)[1]
        over = self._failed.keys() | self._skipped.keys()
        first = [part for part in missing if part not in self._schedule and part.key not in over]
        self._total += len(first)
        for part in first:
            self._forecast.add(part)
        self._skip(self._schedule.again(step, first))

    def _fail(self, step: Step, error: Exception) -> None:
        self._failed[step.key] = (step, error)
        users = self._schedule.give_up(step)
        self._leave("failed", step, note=first_line(error))
        self._skip(users)

    def _skip(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._skipped[step.key] = step
            self._leave("skipped", step, note="needs a step that failed")

    def _leave(self, state: State, step: Step, *, note: str = "", seconds: float = 0.0) -> None:
        self._forecast.add(step, -1)
        self._tell(state, step, note=note, seconds=seconds)

    def _reporter(self, step: Step) -> Callable[[float, str], None]:
        """Tells the listener how far a step is, ten times a second at most."""
        start = self._begun[step.key]
        told = -math.inf

        def report(fraction: float, note: str) -> None:
            nonlocal told
            seconds = time.perf_counter() - start
            if seconds - told >= _TICK_SECONDS:
                told = seconds
                self._tell("running", step, note=note, seconds=seconds, fraction=fraction)

        return report

    def _remaining(self, step: Step, state: State, seconds: float, fraction: float) -> float | None:
        """Seconds to the end of the study, as many steps at a time as run now."""
        left = self._forecast.remaining((step, seconds, fraction) if state == "running" else None)
        return None if left is None else left / max(1, self._schedule.running)

    def _tell(
        self, state: State, step: Step, *, note: str = "", seconds: float = 0.0, fraction: float = 0.0
    ) -> None:
        event = Event(
            state=state,
            kind=step.kind,
            label=step.label,
            done=sum(map(len, (self._made, self._found, self._failed, self._skipped))),
            total=self._total,
            fraction=fraction,
            note=note,
            seconds=seconds,
            remaining=self._remaining(step, state, seconds, fraction),
            running=self._schedule.running,
            failed=len(self._failed),
        )
        self._listener(event)
