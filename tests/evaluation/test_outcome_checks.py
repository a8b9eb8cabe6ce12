"""Checks of outcomes alone: a budget that was left, and an attacker whom knowledge hurts."""

import pytest
import torch

from purifold.evaluation.outcome_checks import adaptive_beats_oblivious, budget_kept
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.3)


def test_a_mis_scaled_budget_is_caught(outcome):
    near, far = (
        outcome([0, 0], [0, 0], {"pgd": [1, 1]}, distance=torch.tensor([0.1, d])) for d in (0.0, 25.5)
    )
    assert budget_kept([near]).passed
    found = budget_kept([near, far])
    assert found.passed is False
    assert found.measured == "pgd left linf 0.1 on 1/2"


@pytest.mark.parametrize(("aware", "passed"), [(8, False), (4, True)])
def test_an_adaptive_attack_weaker_than_the_oblivious_one_is_caught_beyond_noise(outcome, aware, passed):
    blind = outcome([0] * 20, [0] * 20, {"pgd": [1] * 20}, knowledge="oblivious")
    weak = outcome([0] * 20, [0] * 20, {"pgd": [0] * aware + [1] * (20 - aware)})
    assert adaptive_beats_oblivious([blind, weak]).passed is passed


def test_outcomes_of_other_budgets_or_images_are_not_compared(outcome):
    blind = outcome([0], [0], {"pgd": [1]}, knowledge="oblivious")
    others = [outcome([0], [0], {"pgd": [0]}, images="x"), outcome([0], [0], {"pgd": [0]}, threat=LINF)]
    assert adaptive_beats_oblivious([blind, *others]).passed is None
