"""Checks of the attacks: those with a planted fault are caught, those that cannot win are not blamed."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.attacks.fgsm import FGSM
from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.defenses.base import Defended
from purifold.evaluation.attack_checks import (
    batch_independent,
    breaks_undefended,
    more_steps,
    white_box_beats_black_box,
)
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.3)


@dataclass(frozen=True, kw_only=True)
class Planted(Attack):
    """One signed step towards the other class, with a fault."""

    name: ClassVar[str] = "planted"
    norms: ClassVar = ("linf",)
    targetable: ClassVar[bool] = False
    fault: str
    steps: int = 10

    def perturb(self, model, images, goal, threat, noise):
        ascent = (1 - 2 * goal.labels)[:, None, None, None].to(images.dtype)
        length = min(threat.epsilon, 1.0)
        if self.fault == "worse with steps" and self.steps > 10:
            length = 0.0
        if self.fault == "scaled":
            length = length / 255
        if self.fault == "idle when alone" and len(images) == 1:
            length = 0.0
        if self.fault == "normalised by the batch":
            length = length * images.mean() / images.amax()
        return threat.project(images + length * ascent, images)


@pytest.mark.parametrize(
    ("attack", "check"),
    [
        (PGD(steps=1, step=0.01, random_start=False), breaks_undefended),
        (Planted(fault="scaled"), breaks_undefended),
        (Planted(fault="worse with steps"), more_steps),
        (Planted(fault="normalised by the batch"), batch_independent),
        (Planted(fault="idle when alone"), batch_independent),
    ],
)
def test_a_planted_attack_is_caught(brightness, trial, attack, check):
    assert check(trial(Defended(brightness), [attack])).passed is False
    assert check(trial(Defended(brightness), [Planted(fault="none")])).passed


def test_a_budget_too_small_to_break_even_the_bare_classifier_is_caught(brightness, trial):
    # of the levels 76, 82 .. 118 and 132, 138 .. 174 only 132 lies within 5 of the boundary, 127.5
    found = breaks_undefended(trial(Defended(brightness), threat=ThreatModel("linf", 5 / 255)))
    assert found.passed is False
    assert "pgd left 15/16" in found.measured


def test_images_that_no_attacker_can_break_are_no_failure(brightness, trial):
    found = white_box_beats_black_box(trial(Defended(brightness), threat=ThreatModel("linf", 5 / 255)))
    assert found.passed
    assert "left 15/16; of these square (500 queries) broke 0" in found.measured


def test_ties_of_pooling_that_rounding_decides_are_no_dependence_on_the_batch(brightness, trial):
    class Rounding(nn.Module):
        """What the order of a sum may do: the last of equal pixels is larger in a batch, none is alone."""

        def forward(self, images):
            return images + (len(images) > 1) * 1e-15 * torch.arange(16, dtype=images.dtype).view(4, 4)

    pooled = nn.Sequential(Rounding(), nn.MaxPool2d(2), brightness)
    assert batch_independent(trial(Defended(pooled))).passed


def test_an_attack_is_calibrated_by_itself_and_not_by_a_stronger_one(brightness, trial):
    assert breaks_undefended(trial(Defended(brightness), [FGSM()])).passed
    weak = breaks_undefended(trial(Defended(brightness), [Square(queries=2, first_share=0.01)]))
    assert weak.passed is False
    assert weak.measured.startswith("square left")


def test_a_classifier_that_is_never_right_leaves_the_calibration_open(brightness, trial):
    brightness.gain = -10.0
    assert breaks_undefended(trial(Defended(brightness))).passed is None
