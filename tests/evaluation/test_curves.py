import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from purifold.attacks.base import MinimumNormAttack
from purifold.attacks.pgd import PGD
from purifold.defenses.base import REJECTED, Defended
from purifold.errors import InputError
from purifold.evaluation.curves import (
    Selective,
    against_distance,
    against_epsilon,
    against_relative_l2,
    as_printed,
    risk_coverage,
    selective,
)
from purifold.evaluation.evaluate import evaluate
from purifold.evaluation.intervals import Proportion
from purifold.threat import ThreatModel

LEVELS = (60, 100, 115, 125, 140, 170, 200)
DISTANCES = [abs(level - 127.5) / 255 for level in LEVELS]
"""L-infinity distances to the boundary of the brightness classifier."""


@dataclass(frozen=True, kw_only=True)
class Shift(MinimumNormAttack):
    """Steps exactly across the boundary of the brightness classifier."""

    name: ClassVar[str] = "shift"
    norms: ClassVar = ("linf",)
    targetable: ClassVar[bool] = False

    def minimize(self, model, images, goal, threat, noise):
        across = 0.5 - images.flatten(1).mean(dim=1)
        return images + (across + 1e-5 * across.sign())[:, None, None, None]


def closed_form(epsilon):
    return Proportion(sum(distance > epsilon for distance in DISTANCES), len(LEVELS))


def linf(epsilon):
    return ThreatModel("linf", epsilon)


@pytest.fixture
def at(brightness, levels):
    return lambda epsilon, *attacks: evaluate(
        Defended(brightness).eval(), levels(*LEVELS), attacks, linf(epsilon), "adaptive", seed=0
    )


def test_accuracy_against_epsilon_is_the_share_of_larger_margins_and_starts_clean(at):
    epsilons = [0.2, 0.02, 0.06]
    curve = against_epsilon([at(epsilon, PGD()) for epsilon in epsilons], "pgd")
    assert [point.x for point in curve] == [0.0, 0.02, 0.06, 0.2]
    assert [point.y for point in curve] == [closed_form(x) for x in (0.0, 0.02, 0.06, 0.2)]


def test_relative_difference_of_flat_images_is_epsilon_over_their_brightness(at):
    from purifold.attacks.fgsm import FGSM

    ((_, clean), (x, y)) = ((point.x, point.y) for point in against_relative_l2([at(0.06, FGSM())], "fgsm"))
    assert clean == Proportion(7, 7)
    assert x == pytest.approx(sum(0.06 * 255 / level for level in LEVELS) / 7, rel=1e-5)
    assert y == closed_form(0.06)


def test_a_curve_as_printed_counts_one_draw_of_each_attacked_image(outcome):
    found = [
        outcome(
            [0, 0],
            [[0, 1, 1], [1, 0, 0]],
            {"pgd": [[first, 0, 0], [0, 1, 1]]},
            threat=linf(epsilon),
            distance=epsilon,
        )
        for epsilon, first in ((0.2, 1), (0.1, 0))
    ]
    curve = as_printed(found, "pgd")
    assert [point.x for point in curve] == pytest.approx([0, 0.05, 0.1])
    assert [point.y for point in curve] == [Proportion(1, 2), Proportion(2, 2), Proportion(1, 2)]
    assert [point.y.successes for point in against_relative_l2(found, "pgd")] == [1, 0, 0]


def test_one_unbounded_run_gives_the_accuracy_at_every_epsilon(at):
    run = at(math.inf, Shift())
    epsilons = [0.0, 0.02, 0.06, 0.2, 0.3]
    curve = against_distance(run, "shift", epsilons)
    assert [point.y for point in curve] == [closed_form(epsilon) for epsilon in epsilons]
    bounded = against_epsilon([at(epsilon, Shift()) for epsilon in epsilons[1:]])
    assert [point.y for point in bounded] == [point.y for point in curve]


def test_images_that_the_run_could_not_break_stay_robust_at_every_epsilon(outcome):
    run = outcome([0, 0], [0, 0], {"cw": [0, 1]}, threat=linf(math.inf), distance=torch.tensor([0.0, 0.1]))
    assert [point.y.successes for point in against_distance(run, "cw", [0.05, 0.1, 1.0])] == [2, 1, 1]


def test_images_wrong_when_clean_are_lost_at_every_epsilon(outcome):
    run = outcome([0, 0], [0, 1], {"cw": [1, 1]}, threat=linf(math.inf), distance=0.1)
    assert [point.y.successes for point in against_distance(run, "cw", [0.0, 0.05, 0.2])] == [1, 1, 0]


def test_a_bounded_run_says_nothing_beyond_its_budget(outcome):
    run = outcome([0], [0], {"cw": [0]}, threat=linf(0.1))
    with pytest.raises(InputError, match=r"epsilons must lie in \[0, 0.1\]"):
        against_distance(run, "cw", [0.2])


def test_a_curve_refuses_mixed_knowledge_and_other_images(outcome):
    first = outcome([0], [0], {"pgd": [0]}, threat=linf(0.1))
    with pytest.raises(InputError, match="share norm and knowledge"):
        against_epsilon([first, outcome([0], [0], {"pgd": [0]}, threat=linf(0.2), knowledge="oblivious")])
    with pytest.raises(InputError, match="same images"):
        against_epsilon([first, outcome([0], [0], {"pgd": [0]}, threat=linf(0.2), images="other")])


def test_selective_counts_risk_among_accepted_images_only():
    predictions = torch.tensor([[0], [1], [REJECTED], [REJECTED]])
    found = selective(torch.tensor([0, 0, 0, 0]), predictions)
    assert found == Selective(Proportion(2, 4), Proportion(1, 2))


def test_risk_coverage_goes_from_the_laxest_threshold_to_the_strictest(outcome):
    lax = outcome([0, 0], [0, 1], {"pgd": [1, 1]})
    strict = outcome([0, 0], [0, REJECTED], {"pgd": [REJECTED, REJECTED]})
    assert risk_coverage([strict, lax]) == (
        Selective(Proportion(2, 2), Proportion(1, 2)),
        Selective(Proportion(1, 2), Proportion(0, 1)),
    )
    assert risk_coverage([strict, lax], "pgd")[1] == Selective(Proportion(0, 2), Proportion(0, 0))
