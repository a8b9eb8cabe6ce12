"""A sanity check's verdict: what was measured, what was wanted, and why it matters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple, ParamSpec, final

from purifold.errors import Failure, InputError
from purifold.evaluation.intervals import Proportion


@final
@dataclass(frozen=True)
class Check:
    """One verdict. Passing every check does not make a system robust: it only rules out known mistakes.

    Args:
        name: What should hold.
        passed: None where the check does not apply; `measured` then says why.
        measured: What was found, with the number of images.
        wanted: What would pass, with the tolerance.
        why: What a failure usually means.
    """

    name: str
    passed: bool | None
    measured: str
    wanted: str
    why: str


class Verdict(NamedTuple):
    """What one run of a check found; fields as in `Check`."""

    passed: bool | None
    measured: str
    wanted: str


P = ParamSpec("P")


def check(name: str, why: str) -> Callable[[Callable[P, Verdict]], Callable[P, Check]]:
    """Names a check; one that breaks off with an error of ours has failed, and says how."""

    def named(measure: Callable[P, Verdict]) -> Callable[P, Check]:
        @wraps(measure)
        def run(*args: P.args, **kwargs: P.kwargs) -> Check:
            try:
                verdict = measure(*args, **kwargs)
            except (InputError, Failure) as error:
                verdict = Verdict(False, f"broke off: {error}", "a measurement")
            return Check(name, *verdict, why)

        return run

    return named


OF_OUTCOMES = ("budget kept", "adaptive <= oblivious")
"""Names of the checks that look at the outcomes of an evaluation, and make no attack of their own."""
OF_ATTACKS = "attack breaks the undefended classifier"
"""Name of the check that is of the attacks alone: it says the same whatever the defense."""


def unreliable(checks: Sequence[Check]) -> bool:
    """Whether a check failed, or none was run."""
    return not checks or any(check.passed is False for check in checks)


def at_most(found: Proportion, share: float) -> bool:
    """Whether so few may be `share` of all images: the 95 % Wilson interval of `found` starts below it."""
    return found.interval()[0] <= share


def most(share: float, trials: int) -> int:
    """The largest count out of `trials` that `at_most` lets pass."""
    return max(count for count in range(trials + 1) if at_most(Proportion(count, trials), share))
