import pytest
import torch

from purifold.attacks.fgsm import FGSM
from purifold.attacks.rand_fgsm import RandFGSM
from purifold.errors import InputError
from purifold.threat import ThreatModel

NORMAL = torch.tensor([3.0, -4.0, 12.0, -1.0], dtype=torch.float64)
LABELS = torch.zeros(50, dtype=torch.long)


def images():
    return 0.4 + 0.2 * torch.rand(
        50, 1, 2, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64
    )


def watched(seen):
    def model(batch):
        seen.append(batch.detach())
        score = batch.flatten(1) @ NORMAL
        return torch.stack([-score, score], dim=1)

    return model


def test_linf_is_a_random_sign_step_of_alpha_then_fgsm_of_the_rest():
    seen = []
    adversarial = RandFGSM(noise_share=0.25)(watched(seen), images(), LABELS, ThreatModel("linf", 0.2))
    assert len(seen) == 1
    start = seen[0] - images()
    torch.testing.assert_close(start.abs(), torch.full_like(start, 0.05))
    assert 0.35 < (start > 0).double().mean() < 0.65
    expected = seen[0].flatten(1) + 0.15 * NORMAL.sign()
    torch.testing.assert_close(adversarial.flatten(1), expected)


def test_l2_steps_have_lengths_alpha_and_epsilon_minus_alpha():
    seen = []
    adversarial = RandFGSM(noise_share=0.25)(watched(seen), images(), LABELS, ThreatModel("l2", 0.2))
    lengths = (seen[0] - images()).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 0.05))
    torch.testing.assert_close((adversarial - seen[0]).flatten(1), (0.15 * NORMAL / 170**0.5).expand(50, 4))


def test_model_never_sees_a_pixel_outside_the_range():
    seen = []
    RandFGSM()(watched(seen), (images() > 0.5).double(), LABELS, ThreatModel("linf", 0.3))
    assert seen[0].min() >= 0
    assert seen[0].max() <= 1


def test_seed_decides_the_noise():
    threat = ThreatModel("linf", 0.2)
    first, again, other = (RandFGSM()(watched([]), images(), LABELS, threat, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_noise_it_is_fgsm():
    threat = ThreatModel("linf", 0.2)
    plain = FGSM()(watched([]), images(), LABELS, threat)
    assert torch.equal(RandFGSM(noise_share=0.0)(watched([]), images(), LABELS, threat), plain)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_refuses_a_share_outside_0_to_1(share):
    with pytest.raises(InputError, match=r"noise_share must be a share of epsilon in \[0, 1\]"):
        RandFGSM(noise_share=share)
