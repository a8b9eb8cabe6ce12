import pytest
import torch

from purifold.attacks.fgsm import FGSM
from purifold.attacks.ifgsm import IFGSM
from purifold.errors import InputError
from purifold.threat import ThreatModel

NORMAL = torch.tensor([3.0, -4.0, 12.0, 0.0], dtype=torch.float64)
IMAGES = torch.tensor([[0.5, 0.05, 0.9, 0.5]], dtype=torch.float64).view(1, 1, 2, 2)
LABELS = torch.tensor([0])


def watched(seen):
    def model(images):
        seen.append(images.detach().flatten())
        score = images.flatten(1) @ NORMAL
        return torch.stack([-score, score], dim=1)

    return model


def test_linf_trajectory_takes_steps_of_epsilon_over_m_clipped_at_each():
    seen = []
    last = IFGSM(steps=4)(watched(seen), IMAGES, LABELS, ThreatModel("linf", 0.16))
    steps = 0.04 * torch.arange(5, dtype=torch.float64)[:, None]
    expected = (IMAGES.flatten() + steps * NORMAL.sign()).clamp(0, 1)
    torch.testing.assert_close(torch.stack([*seen, last.flatten()]), expected)


def test_l2_trajectory_follows_the_unit_gradient():
    seen = []
    last = IFGSM(steps=5)(watched(seen), IMAGES, LABELS, ThreatModel("l2", 0.05))
    steps = 0.01 * torch.arange(6, dtype=torch.float64)[:, None]
    torch.testing.assert_close(torch.stack([*seen, last.flatten()]), IMAGES.flatten() + steps * NORMAL / 13)


def test_takes_ten_steps_by_default():
    seen = []
    IFGSM()(watched(seen), IMAGES, LABELS, ThreatModel("linf", 0.1))
    assert len(seen) == 10


def test_one_step_is_fgsm(row_wise, extreme_images):
    labels, threat = row_wise(extreme_images).argmax(dim=1), ThreatModel("linf", 0.1)
    one = IFGSM(steps=1)(row_wise, extreme_images, labels, threat)
    assert torch.equal(one, FGSM()(row_wise, extreme_images, labels, threat))


def test_refuses_no_steps():
    with pytest.raises(InputError, match="steps must be 1 or above, got 0"):
        IFGSM(steps=0)
