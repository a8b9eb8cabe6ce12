import math

import pytest
import torch

from purifold.attacks.base import Goal
from purifold.attacks.gradient import objective_gradient, reach, steepest, unit
from purifold.errors import Failure, InputError
from purifold.losses import cross_entropy, margin
from purifold.threat import ThreatModel

LABELS = torch.tensor([0, 1])


def images():
    return torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_gradient_is_the_closed_form_of_each_image_alone(two_class):
    problem = two_class("l2", count=3, dtype=torch.float64)
    weight = problem.model[1].weight
    gradient, logits = objective_gradient(problem.model, problem.images, Goal(problem.labels), cross_entropy)
    probability = logits.softmax(dim=1)[:, 1:]
    torch.testing.assert_close(gradient.flatten(1), (probability * (weight[1] - weight[0])).detach())
    assert not logits.requires_grad


def test_targeted_gradient_descends_the_targets_loss(two_class):
    problem = two_class("l2", dtype=torch.float64)
    goal = Goal(problem.labels, problem.targets)
    gradient, _ = objective_gradient(problem.model, problem.images, goal, margin)
    weight = problem.model[1].weight.detach()
    torch.testing.assert_close(gradient.flatten(1), (weight[1] - weight[0]).expand(6, -1))


def test_model_without_a_gradient_is_refused_with_the_way_out():
    weights = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    for model in (
        lambda batch: batch.detach().flatten(1)[:, :2],
        lambda batch: batch.detach().flatten(1) @ weights.T,
    ):
        with pytest.raises(InputError, match="carry no gradient; wrap what hides it in StraightThrough"):
            objective_gradient(model, images(), Goal(LABELS), margin)


def test_gradient_that_is_no_number_fails_loudly():
    def model(batch):
        flat = batch.flatten(1)
        return torch.stack([flat[:, 0], (flat[:, 1] - flat[:, 1]).sqrt()], dim=1)

    with pytest.raises(Failure, match="NaN or infinity on 2 of 2 images"):
        objective_gradient(model, images(), Goal(LABELS), margin)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_steepest_gains_the_dual_norm_of_the_gradient_with_a_step_of_length_1(norm):
    gradient = torch.randn(5, 3, 4, 4, dtype=torch.float64)
    step = steepest(gradient, norm)
    dual = torch.linalg.vector_norm(gradient.flatten(1), ord={"linf": 1, "l2": 2}[norm], dim=1)
    torch.testing.assert_close((gradient * step).flatten(1).sum(dim=1), dual)
    length = ThreatModel(norm, 1.0).distance(step, torch.zeros_like(step))
    torch.testing.assert_close(length, torch.ones_like(length))


def test_unit_keeps_zero_and_does_not_underflow():
    tiny = torch.tensor([[3.0, 4.0], [0.0, 0.0]]).view(2, 1, 1, 2) * 1e-30
    expected = torch.tensor([[0.6, 0.8], [0.0, 0.0]]).view(2, 1, 1, 2)
    torch.testing.assert_close(unit(tiny, "l2"), expected)
    torch.testing.assert_close(unit(tiny, 1.0), expected / 1.4)


def test_reach_is_epsilon_up_to_the_diameter_of_the_pixel_range():
    batch = torch.zeros(1, 3, 2, 2)
    assert reach(ThreatModel("linf", 0.3), batch) == 0.3
    assert reach(ThreatModel("linf", math.inf), batch) == 1.0
    assert reach(ThreatModel("l2", 2.0), batch) == 2.0
    assert reach(ThreatModel("l2", math.inf), batch) == pytest.approx(math.sqrt(12))
    assert reach(ThreatModel("l2", 100.0), batch) == pytest.approx(math.sqrt(12))
