import pytest
import torch

from purifold.attacks.fgsm import FGSM
from purifold.threat import ThreatModel

IMAGES = torch.tensor([[0.5, 0.02, 0.98, 0.5]]).view(1, 1, 2, 2)
NORMAL = torch.tensor([3.0, -4.0, 12.0, 0.0])
LABELS = torch.tensor([0])


def model(images):
    score = images.flatten(1) @ NORMAL
    return torch.stack([-score, score], dim=1)


@pytest.mark.parametrize(("targets", "sign"), [(None, 1), (torch.tensor([1]), 1), (torch.tensor([0]), -1)])
def test_linf_step_is_epsilon_times_the_sign_clipped_to_the_pixel_range(targets, sign):
    adversarial = FGSM()(model, IMAGES, LABELS, ThreatModel("linf", 0.1), targets)
    expected = {1: [0.6, 0.0, 1.0, 0.5], -1: [0.4, 0.12, 0.88, 0.5]}[sign]
    torch.testing.assert_close(adversarial.flatten(), torch.tensor(expected))


def test_l2_step_is_epsilon_along_the_unit_gradient():
    adversarial = FGSM()(model, IMAGES, LABELS, ThreatModel("l2", 0.013))
    expected = IMAGES.flatten() + 0.013 * NORMAL / 13
    torch.testing.assert_close(adversarial.flatten(), expected)


def test_unbounded_step_goes_to_the_ends_of_the_pixel_range():
    adversarial = FGSM()(model, IMAGES, LABELS, ThreatModel("linf", torch.inf))
    assert adversarial.flatten().tolist() == [1.0, 0.0, 1.0, 0.5]


def test_takes_one_pass():
    calls = []
    FGSM()(
        lambda images: (calls.append(len(images)), model(images))[1], IMAGES, LABELS, ThreatModel("l2", 1.0)
    )
    assert calls == [1]
