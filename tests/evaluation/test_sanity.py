"""All checks together: an honest evaluation passes them, a planted purifier does not."""

import pytest
import torch
from torch import nn

from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.defenses.base import Defended, Purifier
from purifold.errors import InputError
from purifold.evaluation.attack_checks import (
    batch_independent,
    more_steps,
    unbounded_reaches_chance,
    white_box_beats_black_box,
)
from purifold.evaluation.evaluate import evaluate
from purifold.evaluation.gradient_checks import gradients_agree, gradients_exist, randomness_declared
from purifold.evaluation.sanity import sanity
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.3)


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


@pytest.fixture
def split(levels):
    return levels(*range(76, 126, 2), *range(130, 180, 2))


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


def test_a_check_that_breaks_off_has_failed_and_says_how(brightness, trial):
    found = unbounded_reaches_chance(trial(Defended(brightness, Made(lambda images: images.detach()))))
    assert found.passed is False
    assert "model must be differentiable" in found.measured


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
