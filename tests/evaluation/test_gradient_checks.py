"""Checks of gradients: what hides one is caught, what has none to hide is not."""

from torch import nn

from purifold.defenses.base import Defended, Detector
from purifold.evaluation.attack_checks import (
    batch_independent,
)
from purifold.evaluation.gradient_checks import gradients_agree, gradients_exist


class Blind(Detector):
    """Scores brightness, without a gradient."""

    name = "blind"

    def forward(self, images):
        return images.detach().flatten(1).mean(dim=1)

    @classmethod
    def example(cls, channels, size):
        return cls()


def test_saturated_logits_are_caught(brightness, trial):
    brightness.gain = 1e5
    assert gradients_exist(trial(Defended(brightness))).passed is False


def test_ties_of_pooling_on_flat_images_are_no_disagreement(brightness, trial):
    found = gradients_agree(trial(Defended(nn.Sequential(nn.MaxPool2d(2), brightness))))
    assert found.passed


def test_a_detector_without_a_gradient_is_caught(brightness, trial):
    detector = Blind()
    detector.threshold.fill_(0.45)
    assert gradients_exist(trial(Defended(brightness, detectors=[detector]))).passed is False


def test_a_system_that_only_runs_in_float32_leaves_the_float64_checks_open(trial):
    class Single(nn.Module):
        def forward(self, images):
            return images.float().flatten(1)[:, :2]

    for check in (gradients_agree, batch_independent):
        found = check(trial(Defended(Single())))
        assert found.passed is None
        assert "float64" in found.measured
