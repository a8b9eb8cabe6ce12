"""Runs the steps of a study one after another in this process."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import final

from purifold.engine.make import DiskFull, make
from purifold.engine.plan import Forecast, needed
from purifold.engine.progress import Event, Listener, State, silent
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store, Unsound
from purifold.engine.study import StudyFailure, StudyReport, first_line
from purifold.engine.work import Busy

_REMAKES = 3
_TICK_SECONDS = 0.1
_POLL_SECONDS = 0.1


def run(
    steps: Iterable[Step],
    store: Store,
    resources: Resources | None = None,
    listener: Listener = silent,
) -> StudyReport:
    """Makes what the store lacks of `steps` and of what they need; afterwards `store.fetch` has them all.

    What is there already is not run again, and its inputs need not exist. `steps` themselves are compared by
    SHA-256 and made again where damaged, other artefacts when they are read. A step that another process is
    making is put off, so that two runs of one study share its work.

    Args:
        steps: The artefacts that are wanted.
        store: Where artefacts are found and published.
        resources: Of this machine; by default `Resources()`.
        listener: Called with every change.

    Raises `StudyFailure` after everything that could be made was made, and `DiskFull` at once. A kill or an
    interrupt at any moment leaves the store sound; the next run goes on from there.
    """
    store.sweep()
    return _Study(steps, store, resources or Resources(), listener).run()


@final
class _Study:
    """The queue of one run: a step leaves it when it is made, found, failed or skipped."""

    def __init__(self, steps: Iterable[Step], store: Store, resources: Resources, listener: Listener) -> None:
        self._store, self._resources, self._listener = store, resources, listener
        wanted = {step.key: step for step in steps}
        self._found, todo = needed(
            wanted.values(), lambda step: self._verified(step) if step.key in wanted else store.has(step)
        )
        self._queue = deque(todo)
        self._waiting = {step.key for step in todo}
        self._kinds = Counter(step.kind for step in todo)
        self._forecast = Forecast(store, self._kinds)
        self._made: list[Step] = []
        self._failed: dict[str, tuple[Step, Exception]] = {}
        self._skipped: dict[str, Step] = {}
        self._remakes: Counter[str] = Counter()

    def run(self) -> StudyReport:
        """Empties the queue; raises `StudyFailure` at its end."""
        start = time.perf_counter()
        idle = 0
        while self._queue:
            step = self._queue.popleft()
            if self._advance(step):
                idle = 0
                continue
            self._queue.append(step)
            idle += 1
            if idle >= len(self._queue):  # all that is left is in the hands of other processes
                self._listener(
                    self._event("waiting", step, note="another process makes it", remaining=self._remaining())
                )
                time.sleep(_POLL_SECONDS)
                idle = 0
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

    def _advance(self, step: Step) -> bool:
        """Whether the step could be dealt with now; else it stays in the queue."""
        inputs = [part.key for part in step.inputs()]
        if any(key in self._failed or key in self._skipped for key in inputs):
            self._skipped[step.key] = step
            self._leave(step, "skipped", note="needs a step that failed")
        elif any(key in self._waiting for key in inputs):
            return False
        else:
            try:
                self._attempt(step)
            except Busy:
                return False
        return True

    def _attempt(self, step: Step) -> None:
        start = time.perf_counter()
        try:
            manifest = make(step, self._store, self._resources, self._reporter(step, start), patient=False)
        except (Busy, DiskFull):
            raise
        except Unsound as error:
            self._requeue(step, error)
        except Exception as error:
            self._fail(step, error)
        else:
            (self._found if manifest is None else self._made).append(step)
            if manifest is not None:
                self._forecast.learn(step.kind, manifest.seconds)
            self._leave(step, "found" if manifest is None else "made", seconds=time.perf_counter() - start)

    def _requeue(self, step: Step, error: Unsound) -> None:
        """Puts the step back behind those of its inputs that are gone."""
        self._remakes[step.key] += 1
        if self._remakes[step.key] > _REMAKES:
            self._fail(step, error)
            return
        self._queue.appendleft(step)
        settled = self._waiting | self._failed.keys() | self._skipped.keys()
        again = [part for part in needed(step.inputs(), self._store.has)[1] if part.key not in settled]
        self._queue.extendleft(reversed(again))
        self._waiting.update(part.key for part in again)
        self._kinds.update(part.kind for part in again)

    def _fail(self, step: Step, error: Exception) -> None:
        self._failed[step.key] = (step, error)
        self._leave(step, "failed", note=first_line(error))

    def _leave(self, step: Step, state: State, *, note: str = "", seconds: float = 0.0) -> None:
        self._waiting.discard(step.key)
        self._kinds[step.kind] -= 1
        self._listener(self._event(state, step, note=note, seconds=seconds, remaining=self._remaining()))

    def _remaining(self) -> float | None:
        return self._forecast.remaining(+self._kinds)

    def _reporter(self, step: Step, start: float) -> Callable[[float, str], None]:
        """Tells the listener how far a step is, ten times a second at most."""
        others = +(self._kinds - Counter([step.kind]))
        told = -math.inf

        def report(fraction: float, note: str) -> None:
            """Passes this on, unless something was a moment ago."""
            nonlocal told
            seconds = time.perf_counter() - start
            if seconds - told >= _TICK_SECONDS:
                told = seconds
                remaining = self._forecast.remaining(others, (step.kind, seconds, fraction))
                event = self._event(
                    "running", step, fraction=fraction, note=note, seconds=seconds, remaining=remaining
                )
                self._listener(event)

        return report

    def _event(
        self,
        state: State,
        step: Step,
        *,
        fraction: float = 0.0,
        note: str = "",
        seconds: float = 0.0,
        remaining: float | None,
    ) -> Event:
        done = sum(map(len, (self._made, self._found, self._failed, self._skipped)))
        return Event(
            state=state,
            kind=step.kind,
            label=step.label,
            done=done,
            total=done + len(self._waiting),
            fraction=fraction,
            note=note,
            seconds=seconds,
            remaining=remaining,
        )
