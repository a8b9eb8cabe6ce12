"""The lines of the main table: each defense at each budget, by what the attacker knows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Outcome, worst
from purifold.evaluation.record import Record
from purifold.evaluation.surface import Knowledge
from purifold.types import Mask

LADDER: tuple[Knowledge, ...] = ("oblivious", "transfer", "scores", "adaptive")
"""Knowledge levels in the order that tables show them."""
UNRELIABLE = " (unreliable)"


@final
@dataclass(frozen=True, eq=False)
class Line:
    """One defense at one budget.

    Args:
        defense: Its name.
        norm: Of the budget.
        epsilon: The budget.
        clean: Images that are right without an attack.
        robust: Accuracy at each knowledge, the worst case of each image over the attacks.
        worst: Images that survive everything that was tried at this budget.
        checks: What became of the sanity checks.
        unreliable: Whether one failed.
    """

    defense: str
    norm: str
    epsilon: float
    clean: Mask
    robust: Mapping[Knowledge, Proportion]
    worst: Mask
    checks: str
    unreliable: bool


def lines(records: Sequence[Record]) -> list[Line]:
    """By defense, then budget."""
    return [
        _line(record, [outcome for outcome in record.outcomes if outcome.threat.epsilon == epsilon])
        for record in records
        for epsilon in sorted({outcome.threat.epsilon for outcome in record.outcomes})
    ]


def ladder(found: Sequence[Line]) -> list[Knowledge]:
    """The knowledge levels that occur, in the order of columns."""
    return [knowledge for knowledge in LADDER if any(knowledge in line.robust for line in found)]


def percent(found: Proportion) -> str:
    """A share with its 95 % Wilson interval, "45.2 [40.1, 50.4]"."""
    return bracketed(found.value, *found.interval())


def bracketed(value: float, low: float, high: float) -> str:
    """A share between its bounds in percent, "45.2 [40.1, 50.4]"."""
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def spoken(found: Proportion) -> str:
    """The same in a sentence, "45.2 % [40.1, 50.4]"."""
    value, _, interval = percent(found).partition(" ")
    return f"{value} % {interval}"


def less_printed(value: float, high: float, printed: float) -> str:
    """Ours less the printed share in points, marked where even our upper bound is below it."""
    return f"{100 * (value - printed):+.1f}" + (" below" if high < printed else "")


def short(found: Proportion) -> str:
    """The same for a terminal, "45.2 (40-51)", the bounds rounded outwards."""
    low, high = found.interval()
    return f"{100 * found.value:.1f} ({math.floor(100 * low)}-{math.ceil(100 * high)})"


def named(record: Record) -> str:
    """The defense's name, with a mark where its numbers are not to be relied on."""
    return f"{record.defense['name']}{UNRELIABLE if record.unreliable else ''}"


def families(outcome: Outcome) -> list[str]:
    """The attacks, each once for all the surfaces that it was tried on."""
    return list(dict.fromkeys(name.partition("+")[0] for name in outcome.attacked))


def _line(record: Record, outcomes: Sequence[Outcome]) -> Line:
    first = outcomes[0]
    return Line(
        defense=str(record.defense["name"]),
        norm=first.threat.norm,
        epsilon=first.threat.epsilon,
        clean=first.correct_clean(),
        robust={
            level: Proportion.of(worst([outcome for outcome in outcomes if outcome.knowledge == level]))
            for level in dict.fromkeys(outcome.knowledge for outcome in outcomes)
        },
        worst=worst(outcomes),
        checks="failed" if record.unreliable else "outcomes only" if record.reduced else "passed",
        unreliable=record.unreliable,
    )
