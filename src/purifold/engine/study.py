"""What a run of a study did, and the failure that lists what went wrong."""

from dataclasses import dataclass
from typing import final

from purifold.engine.step import Step
from purifold.errors import Failure

_LISTED = 10


@final
@dataclass(frozen=True, kw_only=True)
class StudyReport:
    """What a run of a study did.

    Args:
        made: Steps that really ran, in the order of their ends.
        found: Steps whose artefacts were there, or that another process made meanwhile.
        failed: Steps that raised, with what.
        skipped: Steps that need a failed one.
        seconds: Wall clock.
    """

    made: tuple[Step, ...]
    found: tuple[Step, ...]
    failed: tuple[tuple[Step, Exception], ...]
    skipped: tuple[Step, ...]
    seconds: float


class StudyFailure(Failure):
    """Some steps failed; every other one is in the store. Its `report` has all."""

    def __init__(self, report: StudyReport) -> None:
        self.report = report
        named = [f"{step.label}: {first_line(error)}" for step, error in report.failed[:_LISTED]]
        more = len(report.failed) - len(named)
        total = sum(map(len, (report.made, report.found, report.failed, report.skipped)))
        super().__init__(
            f"{len(report.failed)} of {total} steps failed, "
            f"{len(report.skipped)} that need them were left out: {'; '.join(named)}"
            + (f"; and {more} more" if more else "")
        )


def first_line(error: Exception) -> str:
    """Of the message, or the class where there is none."""
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
