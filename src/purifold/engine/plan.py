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
    sorts = Counter(map(sort, todo))
    forecast = Forecast(store, todo)
    known = {(kind, alike): count for (kind, alike), count in sorts.items() if forecast.knows(kind)}
    return Plan(
        done=tuple(done),
        todo=tuple(todo),
        seconds=forecast.remaining(known) or 0.0,
        unknown=len(todo) - sum(known.values()),
    )


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
    """Estimates seconds: the mean over the last steps alike, else of the kind; of the store and this run."""

    def __init__(self, store: Store, steps: Iterable[Step]) -> None:
        self._seconds: dict[str, deque[float]] = {}
        self._means: dict[str, float] = {}
        self._kinds: set[str] = set()
        for kind in {step.kind for step in steps}:
            for alike, seconds in store.durations(kind):
                self._note((kind, alike), seconds)

    def learn(self, step: Step, seconds: float) -> None:
        """Takes in what a step took."""
        self._note(sort(step), seconds)

    def knows(self, kind: str) -> bool:
        """Whether a step of this kind was ever timed."""
        return kind in self._kinds

    def remaining(
        self, sorts: Mapping[Sort, int], running: tuple[Sort, float, float] | None = None
    ) -> float | None:
        """Seconds for so many steps of each sort, one after another; None where that would be a guess.

        Args:
            sorts: Steps not started. A kind never timed is taken at the median of the others, as long as
                most steps are of a kind that was.
            running: Sort, seconds so far and fraction done of the step that is running.
        """
        means, left = self._means, 0.0
        if running is not None:
            (kind, alike), elapsed, fraction = running
            if fraction > 0:
                means = {kind: elapsed / fraction, alike: elapsed / fraction} | means
                left = elapsed / fraction - elapsed
            else:
                left = max(means.get(alike, means.get(kind, 0.0)) - elapsed, 0.0)
        timed = sum(count for (kind, _), count in sorts.items() if kind in means)
        if not means or 2 * timed < sum(sorts.values()):
            return None
        kinds = self._kinds or means.keys()
        typical = statistics.median(means[kind] for kind in kinds)
        return left + sum(
            count * means.get(alike, means.get(kind, typical)) for (kind, alike), count in sorts.items()
        )

    def _note(self, sort: Sort, seconds: float) -> None:
        self._kinds.add(sort[0])
        for name in sort:
            last = self._seconds.setdefault(name, deque(maxlen=_REMEMBERED))
            last.append(seconds)
            self._means[name] = sum(last) / len(last)
