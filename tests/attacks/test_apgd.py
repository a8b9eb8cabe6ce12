"""Auto-PGD finds what steps of one length pass over, and spends what it says."""

import math

import pytest
import torch

from purifold.attacks.apgd import AutoPGD, checkpoints
from purifold.attacks.pgd import PGD
from purifold.errors import InputError
from purifold.threat import ThreatModel

LINF, L2 = ThreatModel("linf", 0.3), ThreatModel("l2", 0.5)


def images(count=8):
    generator = torch.Generator().manual_seed(4)
    return 0.4 + 0.2 * torch.rand(count, 1, 3, 3, generator=generator, dtype=torch.float64)


def peaked(place):
    """The label's logit is 0 at `place` alone and above elsewhere, by the distance."""

    def model(batch):
        away = (batch - place).flatten(1).norm(dim=1)
        return torch.stack([away, torch.zeros_like(away)], dim=1)

    return model


def test_lengths_are_judged_where_the_paper_does_for_a_hundred_steps():
    assert checkpoints(100) == (22, 41, 57, 70, 80, 87, 93, 99)


def test_checks_never_fall_together_while_there_are_steps_enough():
    for steps in (20, 50, 100, 1000):
        assert len(set(checkpoints(steps))) == len(checkpoints(steps))
        assert max(checkpoints(steps)) <= steps


@pytest.mark.parametrize("threat", [LINF, L2], ids=str)
@pytest.mark.parametrize("random_start", [True, False])
def test_ends_nearer_to_a_peak_inside_the_ball_than_steps_of_one_length(threat, random_start):
    clean = images()
    peak = clean + 0.1037 * torch.where(clean > 0.5, -1.0, 1.0)
    labels = torch.zeros(len(clean), dtype=torch.long)

    def off(attack):
        found = attack(peaked(peak), clean, labels, threat)
        return (found - peak).flatten(1).norm(dim=1)

    patient = off(AutoPGD(steps=100, random_start=random_start, loss="margin"))
    plain = off(PGD(steps=100, random_start=random_start, loss="margin"))
    assert (patient < 0.01).all()
    assert patient.mean() < plain.mean() / 2


def test_the_second_move_keeps_a_quarter_of_the_first():
    """The gradient turns round after the first look; steps are 2 epsilon and end at the faces of the box."""
    seen = []

    def model(batch):
        seen.append(batch.detach())
        turned = 1.0 if len(seen) == 1 else -1.0
        return torch.stack([torch.zeros(len(batch)), turned * batch.flatten(1).sum(dim=1).float()], dim=1)

    clean = torch.full((1, 1, 2, 2), 0.5)
    AutoPGD(steps=10, random_start=False, loss="margin")(
        model, clean, torch.zeros(1, dtype=torch.long), ThreatModel("linf", 0.2)
    )
    start, first, second = seen[:3]  # the first check comes later
    assert torch.equal(start, clean)
    assert torch.allclose(first, clean + 0.2)
    back = clean - 0.2  # the step alone; then three quarters of it, and a quarter of the last move
    assert torch.allclose(second, first + 0.75 * (back - first) + 0.25 * (first - start))


def test_costs_a_forward_and_backward_pass_a_step_and_one_forward_pass(row_wise, extreme_images):
    passed = []

    def model(batch):
        passed.append(len(batch))
        return row_wise(batch)

    right = row_wise(extreme_images).argmax(dim=1)
    AutoPGD(steps=30)(model, extreme_images, right, ThreatModel("linf", 0.1))
    assert passed == [64] * 31


def test_finished_images_leave_the_batch_and_stay_broken(row_wise, extreme_images):
    passed = []

    def model(batch):
        passed.append(len(batch))
        return row_wise(batch)

    right, threat = row_wise(extreme_images).argmax(dim=1), ThreatModel("linf", 0.1)
    whole = AutoPGD(steps=30)(row_wise, extreme_images, right, threat)
    early = AutoPGD(steps=30, confidence=0.0)(model, extreme_images, right, threat)
    broken = [row_wise(found).argmax(dim=1) != right for found in (whole, early)]
    assert torch.equal(*broken)
    assert broken[0].any()
    assert passed[0] == 64
    assert sum(passed) < 31 * 64 * 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"restarts": 0}, "restarts"),
        ({"restarts": 2, "random_start": False}, "all would be the same"),
        ({"confidence": -math.inf}, "confidence"),
    ],
)
def test_refuses_a_configuration_that_cannot_run(arguments, message):
    with pytest.raises(InputError, match=message):
        AutoPGD(**arguments)
