"""Which steps of a study may start, which wait and which are over: the one bookkeeping of all executors.

It starts nothing, reads no clock and no store, so that a laptop, a cluster and a simulation decide alike.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import final

from purifold.engine.step import Step


@final
class Schedule:
    """Steps that are not over yet. Each waits for inputs, is ready, is running, or is deferred.

    Args:
        todo: Each once, inputs first. An input that is not among them is there already. Of steps that are
            ready, those start first that come first here.
    """

    def __init__(self, todo: Iterable[Step]) -> None:
        self._steps: dict[str, Step] = {}
        self._places: dict[str, int] = {}
        self._awaited: dict[str, set[str]] = {}
        self._users: dict[str, list[str]] = {}
        self._ready: list[tuple[int, str]] = []
        self._running: set[str] = set()
        self._deferred: list[str] = []
        self._given_up: set[str] = set()
        for place, step in enumerate(todo):
            self._enter(step, place)

    def __len__(self) -> int:
        return len(self._steps)

    def __contains__(self, step: Step) -> bool:
        return step.key in self._steps

    @property
    def running(self) -> int:
        """How many steps were taken and have not come back."""
        return len(self._running)

    @property
    def ready(self) -> int:
        """How many steps `take` would give, one after another."""
        return len(self._ready)

    @property
    def deferred(self) -> tuple[Step, ...]:
        """What waits for `resume`."""
        return tuple(self._steps[key] for key in self._deferred)

    def take(self) -> Step | None:
        """The next step to start; None where all that is left waits, runs or is deferred."""
        if not self._ready:
            return None
        key = heappop(self._ready)[1]
        self._running.add(key)
        return self._steps[key]

    def finish(self, step: Step) -> None:
        """Takes a running step out: its artefact is there."""
        for user in self._leave(step.key):
            if user in self._steps:  # not given up meanwhile
                self._awaited[user].discard(step.key)
                self._offer(user)

    def give_up(self, step: Step) -> tuple[Step, ...]:
        """Takes a step out that failed, and all that need it; gives the latter."""
        return tuple(self._drop(step.key))[1:]

    def defer(self, step: Step) -> None:
        """Keeps a running step until `resume`: it is in other hands."""
        self._running.discard(step.key)
        self._deferred.append(step.key)

    def resume(self) -> None:
        """Makes what is deferred ready again."""
        deferred, self._deferred = self._deferred, []
        for key in deferred:
            self._offer(key)

    def again(self, step: Step, first: Iterable[Step] = ()) -> tuple[Step, ...]:
        """Puts a running step back, behind the inputs that are not over.

        Args:
            step: Was running.
            first: What is missing of its inputs and of theirs, inputs first; not in the schedule, and never
                given up.

        Returns:
            What is left out since an input of it was given up.
        """
        place = self._places[step.key]
        self._running.discard(step.key)
        dropped: list[Step] = []
        for part in first:
            if self._needs_given_up(part):
                self._given_up.add(part.key)
                dropped.append(part)
            else:
                self._enter(part, place)
        if self._needs_given_up(step):
            return (*dropped, *self._drop(step.key))
        self._enter(step, place)
        return tuple(dropped)

    def _needs_given_up(self, step: Step) -> bool:
        return any(part.key in self._given_up for part in step.inputs())

    def _enter(self, step: Step, place: int) -> None:
        awaited = {part.key for part in step.inputs() if part in self}
        for key in awaited:
            self._users[key].append(step.key)
        self._steps[step.key], self._places[step.key], self._awaited[step.key] = step, place, awaited
        self._users.setdefault(step.key, [])
        self._offer(step.key)

    def _offer(self, key: str) -> None:
        if not self._awaited[key]:
            heappush(self._ready, (self._places[key], key))

    def _leave(self, key: str) -> list[str]:
        self._running.discard(key)
        for held in (self._steps, self._places, self._awaited):
            held.pop(key)
        return self._users.pop(key)

    def _drop(self, key: str) -> Iterator[Step]:
        """Takes a step out and, inputs first, what waits for it."""
        waiting = deque([key])
        while waiting:
            key = waiting.popleft()
            if key in self._steps:
                self._given_up.add(key)
                yield self._steps[key]
                waiting += self._leave(key)


def longest_first(todo: Sequence[Step]) -> list[Step]:
    """The same steps, still inputs first, by how long a chain of others waits for each.

    With many workers a chain that is begun late is what all wait for at the end.
    """
    heights: dict[str, int] = {}
    for step in reversed(todo):
        height = heights.setdefault(step.key, 0)
        for part in step.inputs():
            heights[part.key] = max(heights.get(part.key, 0), height + 1)
    return sorted(todo, key=lambda step: -heights[step.key])
