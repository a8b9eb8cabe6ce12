"""Runs the steps of a study one after another in this process."""

import time
from collections.abc import Callable, Iterable
from typing import ClassVar, final

from purifold.engine.attempt import Attempt, attempt
from purifold.engine.execute import Executor, execute
from purifold.engine.progress import Listener, silent
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store
from purifold.engine.study import StudyReport


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
    return execute(steps, store, _Here(store, resources or Resources()), listener)


@final
class _Here(Executor):
    """One step at a time, which ends before `start` returns."""

    parallel: ClassVar[bool] = False
    retries: ClassVar[int] = 0
    poll: ClassVar[float] = 0.1

    def __init__(self, store: Store, resources: Resources) -> None:
        self._store, self._resources = store, resources
        self._ended: list[tuple[Step, Attempt]] = []

    def room(self) -> bool:
        """Whether the last attempt was asked for."""
        return not self._ended

    def start(self, step: Step, report: Callable[[float, str], None]) -> None:
        """Runs the step."""
        self._ended.append((step, attempt(step, self._store, self._resources, report)))

    def ended(self) -> list[tuple[Step, Attempt]]:
        """The attempt; where there is none, every step is in other hands for now."""
        if not self._ended:
            time.sleep(self.poll)
        ended, self._ended = self._ended, []
        return ended
