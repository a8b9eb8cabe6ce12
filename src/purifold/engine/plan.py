"""What a study has to make, in which order, and how long that will take."""

import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import final

from purifold.engine.step import Step
from purifold.engine.store import Store

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
    kinds = Counter(step.kind for step in todo)
    forecast = Forecast(store, kinds)
    known = {kind: count for kind, count in kinds.items() if forecast.knows(kind)}
    return Plan(
        done=tuple(done),
        todo=tuple(todo),
        seconds=forecast.remaining(known) or 0.0,
        unknown=kinds.total() - sum(known.values()),
    )


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
    """Estimates seconds by kind: the mean over artefacts of the store, then over the last of this run."""

    def __init__(self, store: Store, kinds: Iterable[str]) -> None:
        self._seconds = {kind: deque(store.durations(kind, _REMEMBERED), _REMEMBERED) for kind in set(kinds)}

    def learn(self, kind: str, seconds: float) -> None:
        """Takes in what a step took."""
        self._seconds.setdefault(kind, deque(maxlen=_REMEMBERED)).append(seconds)

    def knows(self, kind: str) -> bool:
        """Whether a step of this kind was ever timed."""
        return bool(self._seconds.get(kind))

    def remaining(
        self, kinds: Mapping[str, int], running: tuple[str, float, float] | None = None
    ) -> float | None:
        """Seconds for so many steps of each kind, one after another; None when nothing was timed yet.

        Args:
            kinds: Steps not started, by kind. A kind never timed is taken at the median of the others.
            running: Kind, seconds so far and fraction done of the step that is running.
        """
        means = {kind: sum(values) / len(values) for kind, values in self._seconds.items() if values}
        left = 0.0
        if running is not None:
            kind, elapsed, fraction = running
            if fraction > 0:
                means.setdefault(kind, elapsed / fraction)
            expected = elapsed / fraction if fraction > 0 else means.get(kind, 0.0)
            left = max(expected - elapsed, 0.0)
        if not means:
            return None
        typical = statistics.median(means.values())
        return left + sum(count * means.get(kind, typical) for kind, count in kinds.items())
