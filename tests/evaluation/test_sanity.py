from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.attacks.fgsm import FGSM
from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.defenses.base import Defended, Detector, Purifier
from purifold.errors import InputError
from purifold.evaluation.attack_checks import (
    batch_independent,
    breaks_undefended,
    more_steps,
    unbounded_reaches_chance,
    white_box_beats_black_box,
)
from purifold.evaluation.check import Check, most, unreliable
from purifold.evaluation.evaluate import evaluate
from purifold.evaluation.gradient_checks import gradients_agree, gradients_exist, randomness_declared
from purifold.evaluation.outcome_checks import adaptive_beats_oblivious, budget_kept
from purifold.evaluation.sanity import sanity
from purifold.evaluation.trial import Trial
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.3)
WEAK = PGD(steps=3, random_start=False)
NAMES = {
    "budget kept",
    "adaptive <= oblivious",
    "randomness is declared",
    "gradients exist",
    "gradients agree with finite differences",
    "same result at batch size 1 and 64",
    "attack breaks the undefended classifier",
    "more steps never help the defense",
    "unbounded attack reaches chance",
    "white box <= black box",
}


class Made(Purifier):
    """A purifier of a function and two claims."""

    name = "made"

    def __init__(self, change, stochastic=False, differentiable=True, surrogate=None):
        super().__init__()
        self.change, self.smooth = change, surrogate
        self.stochastic, self.differentiable = stochastic, differentiable

    def forward(self, images):
        return self.change(images)

    def surrogate(self, images):
        return (self.smooth or self.change)(images)

    @classmethod
    def example(cls, channels, size):
        return cls(lambda images: images)


def rounded(images):
    return images.mul(5).round().div(5)


def noisy(images):
    return images + 0.02 * torch.randn_like(images)


def same(images):
    return images


class Reversed(torch.autograd.Function):
    """The identity with a gradient of the wrong sign."""

    @staticmethod
    def forward(ctx, images):
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class Blind(Detector):
    """Scores brightness, without a gradient."""

    name = "blind"

    def forward(self, images):
        return images.detach().flatten(1).mean(dim=1)

    @classmethod
    def example(cls, channels, size):
        return cls()


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


@pytest.fixture
def split(levels):
    return levels(*range(76, 126, 2), *range(130, 180, 2))


@pytest.fixture
def trial(levels):
    """Makes what the checks look at: sixteen images and a small attack, unless given."""

    def make(system, attacks=(WEAK,), threat=LINF):
        split = levels(*range(76, 124, 6), *range(132, 180, 6))
        return Trial(system.eval(), split, attacks, threat, seed=0, eot=3, batch_size=256)

    return make


@pytest.mark.parametrize(
    "purifier",
    [
        None,
        Made(lambda images: images / 2 + 0.25),
        Made(rounded, differentiable=False, surrogate=same),
        Made(noisy, stochastic=True, surrogate=same),
        Made(lambda images: noisy(rounded(images)), stochastic=True, differentiable=False, surrogate=same),
    ],
    ids=["bare", "differentiable", "BPDA", "stochastic", "stochastic BPDA"],
)
def test_an_honest_evaluation_passes_every_check(brightness, split, purifier):
    system = Defended(brightness, purifier).eval()
    attacks = [PGD(steps=5), Square(queries=5)]
    outcomes = [
        evaluate(system, split, attacks, LINF, knowledge, seed=0, eot=2)
        for knowledge in ("oblivious", "adaptive")
    ]
    checks = sanity(system, split, attacks, LINF, outcomes, seed=0, images=10, eot=2)
    assert {found.name for found in checks} == NAMES
    assert [found for found in checks if found.passed is False] == []
    assert all(found.measured and found.wanted and found.why for found in checks)
    # all apply, but that what says it is stochastic cannot hide it
    assert sum(found.passed is None for found in checks) == system.stochastic


@pytest.mark.parametrize(
    ("purifier", "checks"),
    [
        (Made(lambda images: images.detach()), (gradients_exist, gradients_agree, more_steps)),
        (Made(rounded), (gradients_exist, white_box_beats_black_box, unbounded_reaches_chance)),
        (Made(noisy), (randomness_declared,)),
        (Made(Reversed.apply), (gradients_agree, white_box_beats_black_box)),
        (Made(noisy, stochastic=True, surrogate=torch.detach), (gradients_exist,)),
        (Made(lambda images: rounded(noisy(images)), stochastic=True, surrogate=same), (gradients_exist,)),
        (Made(lambda images: images / images.amax()), (batch_independent,)),
    ],
    ids=["detached", "rounded", "noise undeclared", "reversed", "surrogate", "EOT", "batch"],
)
def test_a_planted_purifier_is_caught(brightness, trial, purifier, checks):
    for check in checks:
        assert check(trial(Defended(brightness, purifier))).passed is False
        assert check(trial(Defended(brightness, Made(same)))).passed


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


def test_saturated_logits_are_caught(brightness, trial):
    brightness.gain = 1e5
    assert gradients_exist(trial(Defended(brightness))).passed is False


def test_ties_of_pooling_on_flat_images_are_no_disagreement(brightness, trial):
    found = gradients_agree(trial(Defended(nn.Sequential(nn.MaxPool2d(2), brightness))))
    assert found.passed


def test_ties_of_pooling_that_rounding_decides_are_no_dependence_on_the_batch(brightness, trial):
    class Rounding(nn.Module):
        """What the order of a sum may do: the last of equal pixels is larger in a batch, none is alone."""

        def forward(self, images):
            return images + (len(images) > 1) * 1e-15 * torch.arange(16, dtype=images.dtype).view(4, 4)

    pooled = nn.Sequential(Rounding(), nn.MaxPool2d(2), brightness)
    assert batch_independent(trial(Defended(pooled))).passed


def test_a_detector_without_a_gradient_is_caught(brightness, trial):
    detector = Blind()
    detector.threshold.fill_(0.45)
    assert gradients_exist(trial(Defended(brightness, detectors=[detector]))).passed is False


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


def test_a_check_that_breaks_off_has_failed_and_says_how(brightness, trial):
    found = unbounded_reaches_chance(trial(Defended(brightness, Made(lambda images: images.detach()))))
    assert found.passed is False
    assert "model must be differentiable" in found.measured


def test_an_attack_is_calibrated_by_itself_and_not_by_a_stronger_one(brightness, trial):
    assert breaks_undefended(trial(Defended(brightness), [FGSM()])).passed
    weak = breaks_undefended(trial(Defended(brightness), [Square(queries=2, first_share=0.01)]))
    assert weak.passed is False
    assert weak.measured.startswith("square left")


def test_a_classifier_that_is_never_right_leaves_the_calibration_open(brightness, trial):
    brightness.gain = -10.0
    assert breaks_undefended(trial(Defended(brightness))).passed is None


def test_a_system_that_only_runs_in_float32_leaves_the_float64_checks_open(trial):
    class Single(nn.Module):
        def forward(self, images):
            return images.float().flatten(1)[:, :2]

    for check in (gradients_agree, batch_independent):
        found = check(trial(Defended(Single())))
        assert found.passed is None
        assert "float64" in found.measured


def test_tolerances_are_the_counts_whose_wilson_interval_reaches_the_share():
    # Wilson's lower bounds: 0.86 % and 1.6 % at 2 and 3 of 64, 49 % and 60 % at 8 and 9 of 10
    assert most(0.01, 64) == 2
    assert most(0.5, 10) == 8


def test_an_evaluation_is_unreliable_when_a_check_failed_or_none_ran():
    passed, failed, open_ = (Check("a", verdict, "", "", "") for verdict in (True, False, None))
    assert not unreliable([passed, open_])
    assert unreliable([passed, failed])
    assert unreliable([])


def test_checks_leave_system_generator_and_gradients_as_they_were(brightness, split):
    torch.manual_seed(1)
    layer = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).eval()
    system = Defended(layer, Made(noisy, stochastic=True, surrogate=same)).eval()
    state = torch.random.get_rng_state()
    weights = layer[1].weight.clone()
    sanity(system, split, [PGD(steps=2)], LINF, seed=0, images=8, eot=2)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(layer[1].weight, weights)
    assert layer[1].weight.grad is None
    assert layer[1].weight.dtype == torch.float32
    assert not any(part.training for part in system.modules())


def test_images_are_spread_over_the_split(brightness, split):
    seen = []

    class Seeing(nn.Module):
        def forward(self, images):
            seen.append(images[:, 0, 0, 0])
            return brightness(images)

    sanity(Defended(Seeing()).eval(), split, [PGD(steps=1)], LINF, seed=0, images=5)
    assert torch.allclose(seen[0] * 255, torch.tensor([76.0, 100.0, 124.0, 152.0, 178.0]))


def test_no_attack_and_a_system_in_training_mode_are_refused(brightness, split):
    with pytest.raises(InputError, match="attacks must hold"):
        sanity(Defended(brightness).eval(), split, [], LINF, seed=0)
    with pytest.raises(InputError, match="defended is in training mode"):
        sanity(Defended(brightness), split, [PGD()], LINF, seed=0)
