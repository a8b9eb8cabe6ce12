import math

import pytest
import torch
from torch import nn

from purifold.attacks.fgsm import FGSM
from purifold.attacks.pgd import PGD
from purifold.errors import InputError
from purifold.threat import ThreatModel

NORMAL = torch.tensor([3.0, -4.0, 12.0, -1.0], dtype=torch.float64)


def images(count=40):
    generator = torch.Generator().manual_seed(4)
    return 0.4 + 0.2 * torch.rand(count, 1, 2, 2, generator=generator, dtype=torch.float64)


def labels(count=40):
    return torch.zeros(count, dtype=torch.long)


def watched(seen):
    def model(batch):
        seen.append(batch.detach())
        score = batch.flatten(1) @ NORMAL
        return torch.stack([-score, score], dim=1)

    return model


class Passes(torch.autograd.Function):
    """The identity; notes how many images pass forward and how many backward."""

    @staticmethod
    def forward(ctx, images, log):
        ctx.log = log
        log.append(("forward", len(images)))
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.log.append(("backward", len(gradient)))
        return gradient, None


def counted(model, log):
    return lambda batch: model(Passes.apply(batch, log))


def test_costs_one_forward_and_backward_pass_a_step_and_one_forward_pass(row_wise, extreme_images):
    log, right = [], row_wise(extreme_images).argmax(dim=1)
    PGD()(counted(row_wise, log), extreme_images, right, ThreatModel("linf", 0.1))
    assert [size for kind, size in log if kind == "forward"] == [64] * 41
    assert [size for kind, size in log if kind == "backward"] == [64] * 40


def test_finished_images_leave_the_batch_and_keep_what_they_were_broken_with(row_wise, extreme_images):
    log, right = [], row_wise(extreme_images).argmax(dim=1)
    attack, threat = PGD(steps=10, restarts=3, confidence=0.0), ThreatModel("linf", 0.05)
    adversarial = attack(counted(row_wise, log), extreme_images, right, threat)
    broken = row_wise(adversarial).argmax(dim=1) != right
    assert 0 < broken.sum() < 64
    sizes = [size for kind, size in log if kind == "backward"]
    assert sizes[0] == 64
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 64 - broken.sum()
    full = PGD(steps=10, restarts=3)(row_wise, extreme_images, right, threat)
    assert torch.equal(row_wise(full).argmax(dim=1) != right, broken)


def test_going_on_after_the_first_success_raises_the_margin(two_class):
    problem = two_class("linf")
    threat = ThreatModel("linf", 2 * problem.distance)
    gains = []
    for confidence in (0.0, 2.0, math.inf):
        adversarial = PGD(confidence=confidence)(problem.model, problem.images, problem.labels, threat)
        gains.append(problem.model(adversarial).diff(dim=1).squeeze(1))
    assert (gains[0] > 0).all()
    assert (gains[1] > 2).all()
    clean = -problem.model(problem.images).diff(dim=1).squeeze(1)
    torch.testing.assert_close(gains[2], clean)  # a linear model: twice the distance gives the margin back


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_starts_uniformly_in_the_ball(norm):
    seen, count = [], 2000
    attack = PGD(steps=1)
    attack(watched(seen), images(count), labels(count), ThreatModel(norm, 0.2), batch_size=count)
    start = (seen[0] - images(count)).flatten(1) / 0.2
    order, dimension = {"linf": (math.inf, 4), "l2": (2, 4)}[norm]
    radius = torch.linalg.vector_norm(start, ord=order, dim=1)
    below = (radius[:, None] < torch.tensor([0.5, 0.7, 0.9])).double().mean(dim=0)
    torch.testing.assert_close(
        below, torch.tensor([0.5, 0.7, 0.9], dtype=torch.float64) ** dimension, atol=0.04, rtol=0
    )
    assert start.mean(dim=0).abs().max() < 0.06


def test_l2_iterates_are_projected_to_the_ball_along_the_radius():
    seen = []
    attack = PGD(steps=3, step=0.8, random_start=False)
    last = attack(watched(seen), images(1), labels(1), ThreatModel("l2", 0.1))
    unit = NORMAL / 170**0.5
    expected = [images(1).flatten() + length * unit for length in (0.0, 0.08, 0.1, 0.1)]
    torch.testing.assert_close(torch.stack([one.flatten() for one in seen]), torch.stack(expected))
    torch.testing.assert_close(last.flatten(), expected[-1])


def test_default_step_is_two_and_a_half_epsilon_over_the_steps():
    seen = []
    attack = PGD(steps=50, random_start=False)
    attack(watched(seen), images(1), labels(1), ThreatModel("linf", 0.1))
    torch.testing.assert_close((seen[1] - seen[0]).flatten(), 0.1 * 2.5 / 50 * NORMAL.sign())


class Valley(nn.Module):
    """Wrong only within a thin shell of the first pixel, which a long step crosses and leaves behind."""

    def forward(self, batch):
        first = batch.flatten(1)[:, :1]
        return torch.cat([torch.zeros_like(first), 0.02 - (first - 0.55).abs()], dim=1)


def test_keeps_an_iterate_that_reached_the_goal_though_the_last_one_does_not():
    start, seen, model = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64), [], Valley().eval()

    def recording(batch):
        seen.append(model(batch).argmax(dim=1).item())
        return model(batch)

    attack = PGD(steps=2, step=0.4, random_start=False)
    adversarial = attack(recording, start, torch.tensor([0]), ThreatModel("linf", 0.1))
    assert seen == [0, 1, 0]  # at 0.50, 0.54 and 0.58
    assert adversarial[0, 0, 0, 0].item() == pytest.approx(0.54)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_one_step_of_epsilon_without_a_random_start_is_fgsm(norm, row_wise, extreme_images):
    right, threat = row_wise(extreme_images).argmax(dim=1), ThreatModel(norm, 0.02)
    stepped = PGD(steps=1, step=1.0, random_start=False)(row_wise, extreme_images, right, threat)
    assert torch.equal(stepped, FGSM()(row_wise, extreme_images, right, threat))


def test_more_restarts_never_lower_a_margin(row_wise, extreme_images):
    right, threat = row_wise(extreme_images).argmax(dim=1), ThreatModel("l2", 0.3)
    held = None
    for restarts in (1, 2, 4):
        adversarial = PGD(steps=3, restarts=restarts)(row_wise, extreme_images, right, threat)
        logits = row_wise(adversarial)
        label = logits.gather(1, right[:, None]).squeeze(1)
        margins = logits.scatter(1, right[:, None], -torch.inf).amax(dim=1) - label
        assert held is None or (margins >= held).all()
        assert held is None or (margins > held).any()
        held = margins


def test_margin_loss_moves_where_cross_entropy_has_rounded_to_zero():
    def sure(batch):
        score = 400 * (batch.flatten(1).sum(dim=1) - 3)
        return torch.stack([-score, score], dim=1)

    start, threat = torch.full((1, 1, 2, 2), 0.5), ThreatModel("linf", 0.3)
    stuck = PGD(random_start=False)(sure, start, torch.tensor([0]), threat)
    moved = PGD(random_start=False, loss="margin")(sure, start, torch.tensor([0]), threat)
    assert torch.equal(stuck, start)
    assert sure(moved).argmax(dim=1).item() == 1


def test_seed_decides_the_start(row_wise, extreme_images):
    right, threat = row_wise(extreme_images).argmax(dim=1), ThreatModel("linf", 0.1)
    runs = [PGD(steps=2)(row_wise, extreme_images, right, threat, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    fixed = PGD(steps=2, random_start=False)
    runs = [fixed(row_wise, extreme_images, right, threat, seed=seed) for seed in (0, 1)]
    assert torch.equal(runs[0], runs[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be 1 or above, got 0"),
        ({"restarts": 0}, "restarts must be 1 or above, got 0"),
        ({"step": 0.0}, "step must be a share of epsilon above 0"),
        ({"step": math.nan}, "step must be a share of epsilon above 0"),
        ({"confidence": -1.0}, "confidence must be 0 or above"),
        ({"restarts": 2, "random_start": False}, "restarts must be 1 without random_start, got 2"),
    ],
)
def test_refuses_a_configuration_that_cannot_run(arguments, message):
    with pytest.raises(InputError, match=message):
        PGD(**arguments)
