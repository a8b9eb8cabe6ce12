"""Detectors' thresholds and the defended system's accounting, on scores and classes known by hand."""

from typing import ClassVar, final

import pytest
import torch
from torch import nn

from purifold.defenses.base import REJECTED, Defended, Detector, Purifier, Reclassifier
from purifold.errors import Failure, InputError


@final
class Brightness(Detector):
    """The mean pixel is the score."""

    name: ClassVar[str] = "brightness"

    def forward(self, images):
        return images.flatten(1).mean(dim=1)

    @classmethod
    def example(cls, channels, size):
        return cls()


@final
class Corner(Detector):
    """The first pixel is the score."""

    name: ClassVar[str] = "corner"

    def forward(self, images):
        return images[:, 0, 0, 0]

    @classmethod
    def example(cls, channels, size):
        return cls()


@final
class Invert(Purifier):
    name: ClassVar[str] = "invert"
    stochastic = False
    differentiable = True

    def forward(self, images):
        return 1 - images

    @classmethod
    def example(cls, channels, size):
        return cls()


@final
class Second(Reclassifier):
    """Says class 7, but refuses images brighter than 0.9; keeps what it was asked."""

    name: ClassVar[str] = "second"

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, images):
        self.asked.append(images)
        return torch.where(images.flatten(1).mean(dim=1) > 0.9, REJECTED, 7)

    def scores(self, images):
        raise AssertionError("no attacker asks here")


class Threshold(nn.Module):
    """Class 1 for images brighter than a half, else class 0."""

    def forward(self, images):
        bright = images.flatten(1).mean(dim=1)
        return torch.stack([1 - bright, bright], dim=1)


def grey(*levels):
    return torch.tensor(levels)[:, None, None, None].expand(-1, 1, 2, 2).contiguous()


def calibrated(detector, threshold):
    detector.threshold.fill_(threshold)
    return detector


@pytest.mark.parametrize(("rate", "rejected"), [(0.01, 1), (0.05, 5), (0.29, 29), (0.5, 50), (0.999, 99)])
def test_calibrate_rejects_exactly_the_whole_images_in_the_rate(rate, rejected):
    clean = grey(*torch.linspace(0, 1, 100)[torch.randperm(100)].tolist())
    detector = Brightness().eval()
    detector.calibrate(clean, rate)
    assert int((~detector.accepts(clean)).sum()) == rejected


def test_calibrate_rejects_no_more_than_the_rate_where_scores_tie():
    clean = grey(*[0.2] * 90, *[0.8] * 10)
    detector = Brightness().eval()
    detector.calibrate(clean, 0.05)
    assert detector.accepts(clean).all()
    detector.calibrate(clean, 0.1)
    assert int((~detector.accepts(clean)).sum()) == 10


def test_calibrate_refuses_a_rate_that_the_images_cannot_resolve_and_says_how_many_can():
    detector = Brightness().eval()
    with pytest.raises(InputError, match=r"99 clean images .* 0\.01; pass at least 100$"):
        detector.calibrate(grey(*[0.5] * 99), 0.01)
    detector.calibrate(grey(*[0.5] * 100), 0.01)
    assert detector.threshold == 0.5


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_calibrate_refuses_rates_that_are_no_share(rate):
    with pytest.raises(InputError, match="false_positive_rate must lie in"):
        Brightness().eval().calibrate(grey(*[0.5] * 10), rate)


def test_calibrate_refuses_images_on_another_scale():
    with pytest.raises(InputError, match=r"clean must lie in \[0, 1\]"):
        Brightness().eval().calibrate(grey(*[200.0] * 10), 0.5)


def test_calibrate_fails_where_a_score_is_no_number():
    @final
    class Broken(Detector):
        name: ClassVar[str] = "broken"

        def forward(self, images):
            return images[:, 0, 0, 0].log()

        @classmethod
        def example(cls, channels, size):
            return cls()

    with pytest.raises(Failure, match="detector broken gives 1 clean images"):
        Broken().eval().calibrate(grey(0.0, 0.5, 0.6, 0.7), 0.5)


def test_a_detector_without_a_threshold_refuses_to_judge():
    with pytest.raises(InputError, match=r"detector brightness has no threshold; call its calibrate"):
        Brightness().eval().accepts(grey(0.5))


def test_a_score_at_the_threshold_passes_and_nan_does_not():
    detector = calibrated(Brightness(), 0.5)
    scored = torch.tensor([0.5, 0.75, float("nan")])[:, None, None, None].expand(-1, 1, 2, 2)
    assert detector.accepts(scored).tolist() == [True, False, False]


def test_the_threshold_travels_in_the_state():
    detector, restored = calibrated(Brightness(), 0.25), Brightness()
    restored.load_state_dict(detector.state_dict())
    assert restored.threshold == 0.25


def test_without_parts_the_defended_system_is_the_classifier():
    images = torch.rand(9, 1, 2, 2)
    defended = Defended(Threshold()).eval()
    assert torch.equal(defended(images), Threshold()(images))
    assert torch.equal(defended.predict(images), Threshold()(images).argmax(dim=1))
    assert not defended.stochastic


def test_the_classifier_reads_purified_images_and_detectors_the_submitted_ones():
    defended = Defended(Threshold(), Invert(), [calibrated(Brightness(), 0.7)]).eval()
    assert defended.predict(grey(0.1, 0.6, 0.8)).tolist() == [1, 0, REJECTED]


def test_an_image_is_rejected_when_any_detector_rejects_it():
    images = grey(0.1, 0.9, 0.1)
    images[2, 0, 0, 0] = 1.0
    defended = Defended(
        Threshold(), detectors=[calibrated(Brightness(), 0.5), calibrated(Corner(), 0.95)]
    ).eval()
    assert defended.predict(images).tolist() == [0, REJECTED, REJECTED]


def test_the_reclassifier_is_asked_about_rejected_images_only_and_may_refuse():
    second = Second()
    defended = Defended(Threshold(), detectors=[calibrated(Brightness(), 0.6)], reclassifier=second).eval()
    images = grey(0.1, 0.95, 0.3, 0.7)
    assert defended.predict(images).tolist() == [0, REJECTED, 0, 7]
    assert len(second.asked) == 1
    assert torch.equal(second.asked[0], images[[1, 3]])
    defended.predict(grey(0.1, 0.2))
    assert len(second.asked) == 1


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_predictions_do_not_depend_on_the_batch_size(batch_size):
    torch.manual_seed(0)
    images = torch.rand(17, 1, 2, 2)
    defended = Defended(Threshold(), Invert(), [calibrated(Brightness(), 0.6)], Second()).eval()
    assert torch.equal(
        defended.predict(images, batch_size), torch.cat([defended.predict(i[None]) for i in images])
    )


def test_no_images_give_no_predictions():
    assert Defended(Threshold()).eval().predict(torch.zeros(0, 1, 2, 2)).shape == (0,)


def test_predicting_refuses_a_part_in_training_mode_and_images_on_another_scale():
    defended = Defended(Threshold(), Invert()).eval()
    defended.purifier.train()
    with pytest.raises(InputError, match=r"defended is in training mode; call defended\.eval\(\) first"):
        defended.predict(grey(0.5))
    with pytest.raises(InputError, match=r"images must lie in \[0, 1\]"):
        defended.eval().predict(grey(3.0))


def test_the_default_surrogate_of_a_purifier_is_its_forward():
    images = grey(0.25)
    assert torch.equal(Invert().surrogate(images), 1 - images)
