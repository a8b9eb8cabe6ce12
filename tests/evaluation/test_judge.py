import math

import pytest
import torch

from purifold.attacks.base import BudgetError
from purifold.defenses.base import REJECTED, Defended, Detector, Purifier
from purifold.errors import InputError
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.judge import judge
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.1)


class Noise(Purifier):
    """Adds one number to an image, of standard deviation `scale`."""

    name = "noise"
    stochastic = True
    differentiable = True

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, images):
        return images + self.scale * torch.randn(len(images), 1, 1, 1)

    @classmethod
    def example(cls, channels, size):
        return cls(0.1)


class Bright(Detector):
    """Suspects bright images."""

    name = "bright"

    def forward(self, images):
        return images.flatten(1).mean(dim=1)

    @classmethod
    def example(cls, channels, size):
        return cls()


def judged(system, split, adversarial, draws=1, seed=0, **given):
    return judge(system.eval(), split, adversarial, LINF, "adaptive", draws=draws, seed=seed, **given)


def test_predictions_are_those_of_the_deployed_system(brightness, levels):
    split = levels(100, 120, 140, 255)
    detector = Bright()
    detector.threshold.fill_(0.9)
    system = Defended(brightness, detectors=[detector])
    found = judged(system, split, {"lift": (split.images() + 0.05).clamp_max(1)})
    assert found.clean.tolist() == [[0], [0], [1], [REJECTED]]
    assert found.attacked["lift"].predictions.tolist() == [[0], [1], [1], [REJECTED]]
    assert found.robust_accuracy() == Proportion(2, 4)
    assert found.images == split.hash


def test_rounding_to_8_bits_is_judged_beside(brightness, levels):
    split = levels(127)
    above = torch.full((1, 1, 4, 4), 127.501 / 255)  # above a half by less than one step, rounds to 128
    below = torch.full((1, 1, 4, 4), 127.499 / 255)
    found = judged(Defended(brightness), split, {"above": above, "below": below})
    assert found.attacked["above"].predictions.item() == found.attacked["above"].rounded.item() == 1
    assert found.attacked["below"].predictions.item() == found.attacked["below"].rounded.item() == 0
    near = torch.full((1, 1, 4, 4), 127.4 / 255)
    near[0, 0, 0, 0] += 5 / 255  # mean 127.7, rounded back to 127 but one pixel: mean 127.3
    moved = judged(Defended(brightness), split, {"near": near}).attacked["near"]
    assert (moved.predictions.item(), moved.rounded.item()) == (1, 0)


def test_distances_are_the_norms_by_hand(brightness, levels):
    split = levels(51)  # 0.2 in every of 16 pixels: length 0.8
    adversarial = split.images()
    adversarial[0, 0, 0, 0] += 0.03
    adversarial[0, 0, 1, 1] += 0.04
    attacked = judged(Defended(brightness), split, {"two": adversarial}).attacked["two"]
    assert attacked.l2.item() == pytest.approx(0.05, rel=1e-5)
    assert attacked.linf.item() == pytest.approx(0.04, rel=1e-5)
    assert attacked.relative_l2.item() == pytest.approx(0.05 / 0.8, rel=1e-5)


def test_relative_distance_from_a_black_image_is_zero_or_infinite(brightness, levels):
    split = levels(0, 0)
    adversarial = split.images()
    adversarial[1] += 0.05
    attacked = judged(Defended(brightness), split, {"x": adversarial}).attacked["x"]
    assert attacked.relative_l2.tolist() == [0.0, math.inf]


def test_images_beyond_the_budget_are_refused_by_the_attacks_name(brightness, levels):
    split = levels(100)
    with pytest.raises(BudgetError, match=r"scaled left linf 0.1 on 1 of 1"):
        judged(Defended(brightness), split, {"scaled": split.images() + 0.11})
    with pytest.raises(InputError, match=r"the images of scaled must lie in \[0, 1\]"):
        judged(Defended(brightness), split, {"scaled": split.images() * 255})
    with pytest.raises(InputError, match="the images of few must have the clean images' shape"):
        judged(Defended(brightness), levels(1, 2), {"few": split.images()})


def test_a_system_in_training_mode_is_refused_by_name(brightness, levels):
    with pytest.raises(InputError, match="defended is in training mode"):
        judge(Defended(brightness), levels(1), {}, LINF, "oblivious", draws=1, seed=0)


def test_a_stochastic_system_is_judged_over_fresh_draws_of_the_right_frequency(brightness, levels):
    # mean 100/255 is 0.108 below the boundary: with noise of 0.2, class 1 in 29.5 % of the draws
    split = levels(*[100] * 200)
    found = judged(Defended(brightness, Noise(0.2)), split, {"none": split.images()}, draws=25)
    assert found.clean.shape == found.attacked["none"].predictions.shape == (200, 25)
    for predictions in (found.clean, found.attacked["none"].predictions, found.attacked["none"].rounded):
        assert predictions.double().mean().item() == pytest.approx(0.295, abs=0.03)  # 4.6 standard errors
        assert predictions.double().std(dim=1).min() > 0  # draws of an image differ


def test_the_judges_draws_follow_its_seed_and_leave_the_callers_generator(brightness, levels):
    split, system = levels(*[110] * 50), Defended(brightness, Noise(0.2))
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first, again = (judged(system, split, {}, draws=4, seed=7).clean for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, judged(system, split, {}, draws=4, seed=8).clean)


def test_the_judge_does_not_repeat_the_draws_an_attack_saw_under_the_same_seed(brightness, levels):
    from purifold.randomness import seeded

    split, system = levels(*[120] * 64), Defended(brightness, Noise(0.5)).eval()
    with seeded(0):
        seen = system.predict(split.images())
    assert not (judged(system, split, {}, draws=5).clean == seen[:, None]).all(dim=0).any()


def test_batch_size_does_not_change_a_deterministic_verdict(brightness, levels):
    split = levels(*range(100, 150))
    small, large = (
        judged(Defended(brightness), split, {"x": split.images()}, batch_size=size) for size in (1, 64)
    )
    assert torch.equal(small.clean, large.clean)
