"""How sure a proportion is, and whether two defenses really differ on the same images."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias, final

from jaxtyping import Bool
from torch import Tensor

from purifold.errors import InputError
from purifold.types import Mask

Cells: TypeAlias = Bool[Tensor, "images systems"]
"""Which images each of several systems keeps."""


@final
@dataclass(frozen=True)
class Proportion:
    """`successes` out of `trials`."""

    successes: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.trials:
            raise InputError(f"successes must lie in [0, trials], got {self.successes} of {self.trials}")

    @classmethod
    def of(cls, mask: Mask) -> "Proportion":
        """The share of images in `mask`."""
        return cls(int(mask.sum()), mask.numel())

    @property
    def value(self) -> float:
        """The share; NaN of no trials."""
        return self.successes / self.trials if self.trials else math.nan

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's score interval without continuity correction; (0, 1) of no trials.

        Wilson, 1927, JASA 22:209; Newcombe, 1998, Statistics in Medicine 17:857, method 3.
        """
        if not 0 < confidence < 1:
            raise InputError(f"confidence must lie in (0, 1), got {confidence}")
        if self.trials == 0:
            return 0.0, 1.0
        p, n, z = self.value, self.trials, NormalDist().inv_cdf((1 + confidence) / 2)
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        low = 0.0 if self.successes == 0 else centre - half
        high = 1.0 if self.successes == n else centre + half
        return low, high

    def __str__(self) -> str:
        return f"{self.successes}/{self.trials}"


@final
@dataclass(frozen=True)
class PairedTest:
    """Exact McNemar test of two defenses on the same images.

    Args:
        first_only: Images that only the first defense kept.
        second_only: Images that only the second kept.
        p_value: Two-sided: probability of so uneven a division, were both equally good.
    """

    first_only: int
    second_only: int
    p_value: float


def paired_test(first: Mask, second: Bool[Tensor, "second"]) -> PairedTest:
    """Whether two defenses keep different shares of the same images, in the same order.

    McNemar, 1947, Psychometrika 12:153, with the exact binomial distribution of the discordant images.
    """
    if first.shape != second.shape:
        raise InputError(f"second must mask the same images as first, got {len(second)} for {len(first)}")
    first_only, second_only = _discordant(first, second)
    fewer = min(first_only, second_only)
    return PairedTest(first_only, second_only, min(1.0, 2 * _at_most(fewer, first_only + second_only)))


def probably_more(first: Mask, second: Mask, level: float = 0.05) -> bool:
    """Whether `first` holds on more of the same images than `second`, beyond chance at `level`, one-sided."""
    first_only, second_only = _discordant(first, second)
    return _at_most(second_only, first_only + second_only) < level


@final
@dataclass(frozen=True)
class Difference:
    """Two sets of systems on the same images.

    Args:
        first: Share that the first systems keep, mean over systems and images.
        second: Share that the second ones keep.
        low: Lower end of the 95 % interval of first - second.
        high: Its upper end.
        p_value: Two-sided sign test over images, of those that one side keeps more often.
    """

    first: float
    second: float
    low: float
    high: float
    p_value: float

    @property
    def value(self) -> float:
        """first - second."""
        return self.first - self.second


def difference(first: Cells, second: Bool[Tensor, "others theirs"]) -> Difference:
    """How much more the first systems keep than the second ones, system by system on the same images.

    The cells of one image depend on each other: an image counts once, with its mean over the cells. The
    interval is normal, after Agresti and Min, 2005, Statistics in Medicine 24:729: two images are added, half
    of one for each of the four ways that a pair can fall, so that few equal answers are not taken for proof.
    """
    if first.shape != second.shape or 0 in first.shape:
        raise InputError(
            f"first and second must mask the same images and as many systems, at least one of each, got "
            f"{tuple(first.shape)} and {tuple(second.shape)}"
        )
    apart = first.double().mean(dim=1) - second.double().mean(dim=1)
    count = len(apart) + 2
    centre = float(apart.sum()) / count
    variance = (float(apart.square().sum()) + 1) / count - centre**2
    half = NormalDist().inv_cdf(0.975) * math.sqrt(variance / count)
    more, less = int((apart > 0).sum()), int((apart < 0).sum())
    p_value = min(1.0, 2 * _at_most(min(more, less), more + less))
    means = float(first.double().mean()), float(second.double().mean())
    return Difference(*means, max(-1.0, centre - half), min(1.0, centre + half), p_value)


def _discordant(first: Mask, second: Mask) -> tuple[int, int]:
    return int((first & ~second).sum()), int((second & ~first).sum())


def _at_most(heads: int, tosses: int) -> float:
    """Probability of no more than so many heads of a fair coin."""
    from scipy.special import bdtr  # loads four times faster than scipy.stats

    return float(bdtr(heads, tosses, 0.5))
