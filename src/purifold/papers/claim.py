"""What a paper claims, as comparisons that decide it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from purifold.engine.experiment import Experiment
from purifold.engine.steps.codes import Codes
from purifold.errors import InputError

Expected: TypeAlias = Literal["more", "fewer", "not fewer", "no more"]
"""Images that the first systems keep, compared with the second ones."""
Quantity: TypeAlias = Literal["diameter", "active units"]
"""Of a set of codes."""


@final
@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Systems in pairs, on the same images.

    Args:
        where: What is compared, and on which data set.
        first: Systems.
        second: As many, each the partner of the one at its place.
        expected: What the claim says of the first.
        epsilons: Budgets at which they are compared; empty: without an attack.
    """

    where: str
    first: tuple[Experiment, ...]
    second: tuple[Experiment, ...]
    expected: Expected
    epsilons: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.first) != len(self.second):
            raise InputError(
                f"first and second must have as many systems, got {len(self.first)} and {len(self.second)}"
            )


@final
@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A quantity of two sets of codes.

    Args:
        where: What is compared, and on which data set.
        quantity: Which.
        first: Numerator.
        second: Denominator.
        least: The claim holds from this ratio on.
        most: And up to this one.
    """

    where: str
    quantity: Quantity
    first: Codes
    second: Codes
    least: float
    most: float

    def __post_init__(self) -> None:
        if not self.least <= self.most:
            raise InputError(f"least must be at most `most`, got {self.least} and {self.most}")


@final
@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence of a paper.

    Args:
        text: What the paper says, in our words.
        protocol: Name of the attack that the paper uses.
        evidence: What decides it.
    """

    text: str
    protocol: str
    evidence: tuple[Contrast | Ratio, ...]
