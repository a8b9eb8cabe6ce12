import numpy as np
import pytest
import torch

from purifold.attacks.ifgsm import IFGSM
from purifold.attacks.mim import MIM
from purifold.errors import InputError
from purifold.threat import ThreatModel

LABELS = torch.tensor([0, 1])


def images():
    return 0.3 + 0.4 * torch.rand(2, 1, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def curved(batch):
    """Two logits whose gradient turns along the way: half the difference is sum(sin(9 x) * place)."""
    score = (torch.sin(9 * batch.flatten(1)) * torch.arange(1.0, 7.0)).sum(dim=1)
    return torch.stack([-score, score], dim=1)


def reference(start, label, decay, norm, epsilon=0.25, steps=7):
    place, sign, x, g = np.arange(1.0, 7.0), 1 - 2 * label, start.copy(), np.zeros(6)
    for _ in range(steps):
        right = 1 / (1 + np.exp(2 * sign * (np.sin(9 * x) * place).sum()))
        gradient = 2 * (1 - right) * sign * 9 * np.cos(9 * x) * place
        g = decay * g + gradient / np.abs(gradient).sum()
        x = x + epsilon / steps * (np.sign(g) if norm == "linf" else g / np.sqrt((g**2).sum()))
    return x


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_follows_the_momentum_recursion(norm, decay):
    adversarial = MIM(steps=7, decay=decay)(curved, images(), LABELS, ThreatModel(norm, 0.25))
    for one, start, label in zip(adversarial, images(), (0, 1), strict=True):
        expected = reference(start.flatten().numpy(), label, decay, norm)
        np.testing.assert_allclose(one.flatten().numpy(), expected, atol=1e-12)


def test_momentum_changes_the_path():
    threat = ThreatModel("linf", 0.25)
    assert not torch.allclose(
        MIM()(curved, images(), LABELS, threat), MIM(decay=0.0)(curved, images(), LABELS, threat)
    )


def test_without_momentum_it_is_ifgsm():
    threat = ThreatModel("linf", 0.25)
    assert torch.equal(
        MIM(decay=0.0)(curved, images(), LABELS, threat), IFGSM()(curved, images(), LABELS, threat)
    )


def test_refuses_no_steps_and_a_negative_decay():
    with pytest.raises(InputError, match="steps must be 1 or above, got 0"):
        MIM(steps=0)
    with pytest.raises(InputError, match=r"decay must be 0 or above, got -0\.1"):
        MIM(decay=-0.1)
