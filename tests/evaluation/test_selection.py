"""Risk and coverage against a loop over thresholds."""

import pytest
import torch
from torch import nn

from purifold.defenses.base import REJECTED, Defended, Detector
from purifold.errors import InputError
from purifold.evaluation.selection import ranked, strictness, submitted_best, suspicions


class Pixel(Detector):
    name = "pixel"

    def __init__(self, place):
        super().__init__()
        self.place = place

    def forward(self, images):
        return images.flatten(1)[:, self.place]

    @classmethod
    def example(cls, channels, size):
        return cls(0)


@pytest.fixture
def system():
    return Defended(nn.Flatten(), detectors=[Pixel(0), Pixel(3)]).eval()


def photos(count, seed):
    return torch.rand(count, 1, 2, 2, generator=torch.Generator().manual_seed(seed))


def test_scores_are_those_of_the_detectors(system):
    images = photos(300, 0)
    assert torch.equal(suspicions(system, images), images.flatten(1)[:, [0, 3]])
    with pytest.raises(InputError, match="must have detectors"):
        suspicions(Defended(nn.Flatten()).eval(), images)


def test_strictness_says_at_which_quantile_an_image_is_rejected(system):
    clean, images = photos(200, 1), photos(50, 2)
    strict = strictness(suspicions(system, images), suspicions(system, clean))
    for rate in (0.05, 0.25, 0.5):
        for detector in system.detectors:
            detector.calibrate(clean, rate)
        rejected = system.predict(images) == REJECTED
        assert torch.equal(strict > 1 - rate, rejected)


def test_the_curve_is_that_of_a_loop_over_thresholds():
    generator = torch.Generator().manual_seed(3)
    strict = torch.randint(8, (60,), generator=generator) / 8
    right = torch.rand(60, generator=generator) < 0.8
    found = ranked(strict, right)
    expected = []
    for threshold in strict.sort().values:
        accepted = strict <= threshold
        expected.append((float(accepted.double().mean()), float((~right[accepted]).double().mean())))
    assert found.coverage.tolist() == pytest.approx([coverage for coverage, _ in expected])
    assert found.risk.tolist() == pytest.approx([risk for _, risk in expected])
    assert found.area == pytest.approx(sum(risk for _, risk in expected) / 60)


def test_a_perfect_ranking_has_no_risk_until_only_wrong_ones_are_left():
    found = ranked(torch.arange(10.0), torch.arange(10) < 7)
    assert found.risk[:7].eq(0).all()
    assert float(found.risk[-1]) == pytest.approx(0.3)


def test_an_attacker_submits_the_most_trusted_of_what_is_wrong():
    strict = torch.tensor([[0.1, 0.2, 0.9], [0.5, 0.4, 0.3], [0.3, 0.6, 0.6]])
    right = torch.tensor([[True, True, False], [False, True, False], [False, True, True]])
    best, held = submitted_best(strict, right)
    torch.testing.assert_close(best, torch.tensor([0.3, 0.6, 0.3]))
    assert held.tolist() == [False, True, False]


def test_who_tries_more_leaves_no_lower_risk_anywhere():
    generator = torch.Generator().manual_seed(4)
    strict, right = (torch.rand(4, 200, generator=generator) for _ in range(2))
    risks = []
    for tried in (1, 4):
        best, held = submitted_best(strict[:tried], right[:tried] < 0.7)
        thresholds = torch.linspace(0, 1, 11)
        risks.append(torch.stack([((best <= each) & ~held).sum() for each in thresholds]))
    assert (risks[1] >= risks[0]).all()
    assert (risks[1] > risks[0]).any()
