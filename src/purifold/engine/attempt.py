"""One attempt at a step, and how it ended: what every executor does, here or in a worker."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

from purifold.engine.make import make
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store, Unsound
from purifold.engine.work import Busy

Ending = Literal["made", "found", "busy", "unsound", "failed", "lost"]


@final
@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How an attempt at a step ended.

    Args:
        ending: "found": another process was first; "busy": another process makes it now; "unsound": an input
            must be made first; "failed": the step raised; "lost": the worker died.
        seconds: What the step took, where it was made.
        error: Of the last three endings.
    """

    ending: Ending
    seconds: float = 0.0
    error: Exception | None = None


def attempt(step: Step, store: Store, resources: Resources, report: Callable[[float, str], None]) -> Attempt:
    """Makes a step whose inputs are in the store, and raises nothing but an interrupt; see `make`."""
    try:
        manifest = make(step, store, resources, report, patient=False)
    except Busy:
        return Attempt(ending="busy")
    except Unsound as error:
        return Attempt(ending="unsound", error=error)
    except Exception as error:
        return Attempt(ending="failed", error=error)
    if manifest is None:
        return Attempt(ending="found")
    return Attempt(ending="made", seconds=manifest.seconds)
