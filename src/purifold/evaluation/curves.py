"""Robust accuracy against the size of the perturbation, and risk against coverage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from purifold.defenses.base import REJECTED
from purifold.errors import InputError
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Outcome, Predictions, majority, same_images
from purifold.threat import ROUNDING
from purifold.types import Labels


@final
@dataclass(frozen=True)
class Point:
    """Where a curve stands at `x`."""

    x: float
    y: Proportion


Curve: TypeAlias = tuple[Point, ...]


def against_epsilon(outcomes: Sequence[Outcome], attack: str | None = None) -> Curve:
    """Robust accuracy at each outcome's budget, from the clean accuracy at 0 on.

    Args:
        outcomes: Of one system, norm and knowledge on the same images, each at another epsilon.
        attack: One attack; without it the worst case.
    """
    return _curve(outcomes, lambda outcome: outcome.threat.epsilon, lambda one: one.robust_accuracy(attack))


def against_relative_l2(outcomes: Sequence[Outcome], attack: str) -> Curve:
    """Robust accuracy against the mean over images of ||adversarial - clean|| / ||clean||, from 0 on.

    The accuracy is the worst case over the surfaces that the attack was tried on, the difference that of
    the first of them.

    Args:
        outcomes: Of one system, norm and knowledge on the same images, each at another epsilon.
        attack: Whose images are measured: a worst case over attacks has no one distance.
    """
    together = [outcome.together(attack) for outcome in outcomes]
    return _curve(together, _first_difference, Outcome.robust_accuracy)


def as_printed(outcomes: Sequence[Outcome], attack: str) -> Curve:
    """`against_relative_l2` as papers count: one draw of each attacked image, whatever the clean one is.

    Args:
        outcomes: Of one system, norm and knowledge on the same images, each at another epsilon.
        attack: By its whole name: on one surface.
    """
    return _curve(
        outcomes,
        lambda outcome: relative_l2(outcome, attack),
        lambda outcome: outcome.single_accuracy(attack),
        Outcome.single_accuracy,
    )


def relative_l2(outcome: Outcome, attack: str) -> float:
    """Mean over images of ||adversarial - clean|| / ||clean||, in L2."""
    return float(outcome.of(attack).relative_l2.double().mean())


def against_distance(outcome: Outcome, attack: str, epsilons: Sequence[float]) -> Curve:
    """Robust accuracy at every budget, out of one run of a minimum-norm attack.

    An image falls at epsilon when the attack broke it within that distance; the attack must have been
    free to go as far as the largest epsilon.
    """
    furthest = outcome.threat.epsilon
    if epsilons and not 0 <= min(epsilons) <= max(epsilons) <= furthest:
        raise InputError(
            f"epsilons must lie in [0, {furthest:g}], the budget of the run, got {list(epsilons)}"
        )
    correct, robust = outcome.correct_clean(), outcome.robust(attack)
    distance = outcome.of(attack).distance(outcome.threat.norm)
    return tuple(
        Point(
            epsilon, Proportion.of(correct & (robust | (distance > epsilon + ROUNDING * max(1.0, epsilon))))
        )
        for epsilon in sorted(epsilons)
    )


@final
@dataclass(frozen=True)
class Selective:
    """What a system that may refuse does with a set of images.

    El-Yaniv and Wiener, 2010, JMLR 11:1605, section 2.

    Args:
        coverage: Images accepted.
        risk: Of those accepted, the ones classified wrongly.
    """

    coverage: Proportion
    risk: Proportion


def selective(labels: Labels, predictions: Predictions) -> Selective:
    """Coverage and risk; more than half of an image's draws must be rejected, or right, to count as that."""
    accepted = ~majority(predictions == REJECTED)
    wrong = accepted & ~majority(predictions == labels[:, None])
    return Selective(Proportion.of(accepted), Proportion(int(wrong.sum()), int(accepted.sum())))


def risk_coverage(outcomes: Sequence[Outcome], attack: str | None = None) -> tuple[Selective, ...]:
    """Coverage and risk of one system calibrated at several false-positive rates, by falling coverage.

    Args:
        outcomes: One for each rate, on the same images.
        attack: Whose images; without it the clean ones.
    """
    same_images(outcomes)
    points = [
        selective(outcome.labels, outcome.clean if attack is None else outcome.of(attack).predictions)
        for outcome in outcomes
    ]
    return tuple(sorted(points, key=lambda point: -point.coverage.value))


def _first_difference(outcome: Outcome) -> float:
    return relative_l2(outcome, next(iter(outcome.attacked)))


def _curve(
    outcomes: Sequence[Outcome],
    place: Callable[[Outcome], float],
    attacked: Callable[[Outcome], Proportion],
    clean: Callable[[Outcome], Proportion] = Outcome.accuracy,
) -> Curve:
    same_images(outcomes)
    kinds = {(outcome.threat.norm, outcome.knowledge) for outcome in outcomes}
    if len(kinds) > 1:
        raise InputError(f"outcomes of a curve must share norm and knowledge, got {sorted(kinds)}")
    points = [Point(place(outcome), attacked(outcome)) for outcome in outcomes]
    if all(point.x > 0 for point in points):
        points.append(Point(0.0, clean(outcomes[0])))
    return tuple(sorted(points, key=lambda point: point.x))
