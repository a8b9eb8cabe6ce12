"""How a study tells where it is: events, and two ways to show them on a terminal or in a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias, final

if TYPE_CHECKING:
    from rich.progress import Progress

State = Literal["running", "waiting", "again", "made", "found", "failed", "skipped"]
OPEN: tuple[State, ...] = ("running", "waiting", "again")
"""States of a step that is not over."""
QUIET = 120.0
"""Seconds after which a log says how far a step is."""


@final
@dataclass(frozen=True, kw_only=True)
class Event:
    """One change of a study.

    Args:
        state: Of the step. "found": the store had it by the time its turn came; "again": an attempt went
            wrong, and there will be another.
        kind: Of the step.
        label: What to call the step.
        done: Steps of the study that are over: made, found, failed or skipped.
        total: Steps of the study; grows when a damaged artefact must be made again.
        fraction: Of this step, 0 to 1.
        note: Where the step is, or why it failed.
        seconds: This step took so far.
        remaining: Estimated seconds to the end of the study; None while nothing was timed.
        running: Steps that run now.
        failed: Steps that failed.
    """

    state: State
    kind: str
    label: str
    done: int
    total: int
    fraction: float
    note: str
    seconds: float
    remaining: float | None
    running: int = 0
    failed: int = 0


Listener: TypeAlias = Callable[[Event], None]


def silent(event: Event) -> None:
    """Shows nothing."""


@contextmanager
def shown() -> Iterator[Listener]:
    """A listener that writes to standard error: two bars on a terminal, else lines.

    A line says that a step is over, or, after `QUIET` seconds without one, how far a long step is.
    """
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[beside]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _bars(bars)


def duration(seconds: float) -> str:
    """As a person says it: "8 s", "3 min", "2 h 05 min"."""
    minutes = round(seconds / 60)
    if seconds < 100:  # noqa: PLR2004
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"  # noqa: PLR2004


def _line(event: Event) -> str:
    place = f"[{event.done:>{len(str(event.total))}}/{event.total}] {event.state:<7} {event.label}"
    took = {"made": f" in {duration(event.seconds)}", "running": f" for {duration(event.seconds)}"}
    note = f": {event.note}" if event.note else ""
    return place + took.get(event.state, "") + note + _left(event)


def _counts(event: Event) -> str:
    waiting = event.total - event.done - event.running
    several = f", {event.running} running, {waiting} waiting" if event.running > 1 else ""
    return f"{event.done}/{event.total}{several}" + (f", {event.failed} failed" if event.failed else "")


def _left(event: Event) -> str:
    if event.remaining is None or event.done == event.total:
        return ""
    return f", about {duration(event.remaining)} left"


def _lines() -> Listener:
    said = monotonic()

    def show(event: Event) -> None:
        """Prints what is over at once, and what is running after a while."""
        nonlocal said
        late = event.state == "running" and event.fraction > 0 and monotonic() - said > QUIET
        if late or event.state not in ("running", "waiting"):
            print(_line(event), file=sys.stderr, flush=True)
            said = monotonic()

    return show


def _bars(bars: "Progress") -> Listener:
    study = bars.add_task("steps", total=None, beside="")
    step = bars.add_task("", total=1.0, beside="")

    def show(event: Event) -> None:
        """Moves both bars, and prints above them what failed."""
        if event.state in ("failed", "again"):
            bars.console.print(_line(event), markup=False, highlight=False)
        bars.update(study, total=event.total, completed=event.done, beside=f"{_counts(event)}{_left(event)}")
        over = event.state not in OPEN
        bars.update(
            step,
            description=event.label,
            completed=1.0 if over else event.fraction,
            beside=event.state if over else event.note,
            visible=event.done < event.total,
        )

    return show
