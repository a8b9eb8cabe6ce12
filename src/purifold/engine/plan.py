"""What a study has to make, in which order, and how long that will take."""

import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

from purifold.engine.step import Step
from purifold.engine.store import Store

Sort: TypeAlias = tuple[str, str]
"""Kind and likeness of a step."""
_REMEMBERED = 20


@final
@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is in the store and what is to be made.

    Args:
        done: Steps whose artefacts are there and needed. What only they need is not looked at.
        todo: Steps to run, inputs first.
        seconds: Estimate for those of `todo` whose kind was made before, one after another.
        unknown: How many of `todo` are of a kind never made before, and not in `seconds`.
    """

    done: tuple[Step, ...]
    todo: tuple[Step, ...]
    seconds: float
    unknown: int


def plan(steps: Iterable[Step], store: Store) -> Plan:
    """What `run` would do now; changes nothing."""
    done, todo = needed(steps, store.has)
    seconds, unknown = Forecast(store, todo).known()
    return Plan(done=tuple(done), todo=tuple(todo), seconds=seconds, unknown=unknown)


def sort(step: Step) -> Sort:
    """What a forecast goes by."""
    return step.kind, step.likeness


def needed(steps: Iterable[Step], sound: Callable[[Step], bool]) -> tuple[list[Step], list[Step]]:
    """Steps that are sound, and steps that must be made with inputs first; each key once.

    Below a sound step nothing is visited: its inputs need not exist any more.
    """
    done: list[Step] = []
    todo: list[Step] = []
    seen: set[str] = set()
    waiting = [(step, False) for step in reversed(list(steps))]
    while waiting:
        step, inputs_listed = waiting.pop()
        if inputs_listed:
            todo.append(step)
        elif step.key not in seen:
            seen.add(step.key)
            if sound(step):
                done.append(step)
            else:
                waiting.append((step, True))
                waiting.extend((part, False) for part in reversed(step.inputs()))
    return done, todo


@final
class Forecast:
    """Estimates seconds: the mean over the last steps alike, else of the kind; of the store and this run.

    Sums are kept, so that to ask costs the same for ten steps and for a million.

    Args:
        store: Of which artefacts tell how long they took.
        steps: Those that are left.
    """

    def __init__(self, store: Store, steps: Iterable[Step]) -> None:
        self._last: dict[str, deque[float]] = {}
        self._means: dict[str, float] = {}
        self._kinds: set[str] = set()
        self._left: Counter[Sort] = Counter()
        self._alike, self._alike_seconds = 0, 0.0  # steps left of which some alike were timed
        self._other: Counter[str] = Counter()  # those of which none was, by kind
        waiting = list(steps)
        for kind in {step.kind for step in waiting}:
            for likeness, seconds in store.durations(kind):
                self._note((kind, likeness), seconds)
        for step in waiting:
            self.add(step)

    def add(self, step: Step, count: int = 1) -> None:
        """Expects so many more steps like this, or fewer."""
        self._left[sort(step)] += count
        self._move(sort(step), count)

    def learn(self, step: Step, seconds: float) -> None:
        """Takes in what a step took."""
        self._note(sort(step), seconds)

    def known(self) -> tuple[float, int]:
        """Seconds for the steps left of kinds that were timed, one after another; and how many others are."""
        unknown = sum(count for kind, count in self._other.items() if kind not in self._kinds)
        return self._sum(self._other, self._means, 0.0), unknown

    def remaining(self, running: tuple[Step, float, float] | None = None) -> float | None:
        """Seconds for the steps left, one after another; None where that would be a guess.

        A kind never timed is taken at the median of the others, as long as most steps are of one that was.

        Args:
            running: One of those left that is running, its seconds so far and the fraction done.
        """
        means, other, left = self._means, self._other, 0.0
        if running is not None:
            step, elapsed, fraction = running
            kind, likeness = sort(step)
            whole = elapsed / fraction if fraction > 0 else means.get(likeness, means.get(kind, 0.0))
            left = max(whole - elapsed, 0.0)
            if likeness in means:
                left -= means[likeness]
            else:
                likes = self._left[kind, likeness] if fraction > 0 else 1
                other = other - Counter({kind: likes})
                left += (likes - 1) * whole
            if fraction > 0:
                means = {kind: whole} | means
        timed = self._alike + sum(count for kind, count in other.items() if kind in means)
        if not means or 2 * timed < self._alike + other.total():
            return None
        typical = statistics.median(means[kind] for kind in self._kinds or means)
        return left + self._sum(other, means, typical)

    def _sum(self, other: Mapping[str, int], means: Mapping[str, float], typical: float) -> float:
        others = (count * means.get(kind, typical) for kind, count in other.items())
        return sum(others, self._alike_seconds)

    def _note(self, sort: Sort, seconds: float) -> None:
        count = self._left[sort]
        self._move(sort, -count)
        self._kinds.add(sort[0])
        for name in sort:
            last = self._last.setdefault(name, deque(maxlen=_REMEMBERED))
            last.append(seconds)
            self._means[name] = sum(last) / len(last)
        self._move(sort, count)

    def _move(self, sort: Sort, count: int) -> None:
        """Adds so many steps to the sums that they belong to."""
        kind, likeness = sort
        if likeness in self._means:
            self._alike += count
            self._alike_seconds += count * self._means[likeness]
        else:
            self._other[kind] += count
