import math

import pytest
import torch

from purifold.attacks.base import Goal
from purifold.attacks.deepfool import DeepFool
from purifold.errors import InputError
from purifold.threat import ThreatModel

NORMS = pytest.mark.parametrize("norm", ["l2", "linf"])
DUAL = {"l2": 2, "linf": 1}


class Log(torch.autograd.Function):
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


def logged(model, log):
    return lambda images: model(Log.apply(images, log))


def classes(count, seed=2):
    """A linear model of many classes in double precision, with its weight and bias."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(count, 16, generator=generator, dtype=torch.float64)
    bias = 0.1 * torch.randn(count, generator=generator, dtype=torch.float64)
    return (lambda images: (images - 0.5).flatten(1) @ weight.T + bias), weight


def bent(count):
    """A small network of many classes in double precision, centred on grey."""
    generator = torch.Generator().manual_seed(9)
    first, second = (
        torch.randn(*size, generator=generator, dtype=torch.float64) for size in ((40, 16), (count, 40))
    )
    return lambda images: torch.tanh(2 * (images.flatten(1) - 0.5) @ first.T) @ second.T


def middling(count, seed=4):
    generator = torch.Generator().manual_seed(seed)
    return 0.4 + 0.2 * torch.rand(count, 1, 4, 4, generator=generator, dtype=torch.float64)


def distances(model, weight, images, labels, norm):
    """Closed form: of each image to the boundary between its label and each class; infinite to its own."""
    logits = model(images)
    lead = logits.gather(1, labels[:, None]) - logits
    across = torch.linalg.vector_norm(weight[labels][:, None] - weight, ord=DUAL[norm], dim=2)
    return (lead / across).masked_fill(across == 0, torch.inf)


@NORMS
def test_one_step_crosses_a_plane_at_its_distance_and_the_overshoot(norm, two_class):
    problem, log = two_class(norm, dtype=torch.float64), []
    threat = ThreatModel(norm, math.inf)
    adversarial = DeepFool()(logged(problem.model, log), problem.images, problem.labels, threat)
    assert (problem.model(adversarial).argmax(dim=1) == 1).all()
    ratios = threat.distance(adversarial, problem.images) / problem.distance
    torch.testing.assert_close(ratios, torch.full_like(ratios, 1.02), atol=1e-9, rtol=0)
    assert log == [("forward", 6), ("forward", 6), ("backward", 6), ("forward", 6)]


@NORMS
def test_of_many_classes_it_crosses_to_the_nearest(norm):
    model, weight = classes(7)
    images = middling(40)
    labels = model(images).argmax(dim=1)
    away = distances(model, weight, images, labels, norm)
    near = away.amin(dim=1) < 0.2  # the pixel range binds nothing
    assert near.sum() > 10
    threat = ThreatModel(norm, math.inf)
    adversarial = DeepFool()(model, images[near], labels[near], threat)
    assert torch.equal(model(adversarial).argmax(dim=1), away[near].argmin(dim=1))
    expected = 1.02 * away[near].amin(dim=1)
    torch.testing.assert_close(threat.distance(adversarial, images[near]), expected, atol=1e-9, rtol=0)


def test_candidates_bounds_the_classes_it_may_cross_to():
    model, weight = classes(7)
    images = middling(200)
    labels = model(images).argmax(dim=1)
    away = distances(model, weight, images, labels, "l2")
    runner_up = model(images).topk(2).indices[:, 1]
    telling = (runner_up != away.argmin(dim=1)) & (away.gather(1, runner_up[:, None])[:, 0] < 0.3)
    assert telling.sum() > 3
    attack = DeepFool(candidates=2, overshoot=0.0)
    adversarial = attack(model, images[telling], labels[telling], ThreatModel("l2", math.inf))
    crossed = (images[telling] - adversarial).flatten(1)
    across = weight[labels[telling]] - weight[runner_up[telling]]
    assert torch.nn.functional.cosine_similarity(crossed, across).min() > 1 - 1e-6


@NORMS
def test_targeted_it_crosses_to_the_target(norm, many_class):
    problem = many_class(norm)
    threat = ThreatModel(norm, math.inf)
    adversarial = DeepFool()(problem.model, problem.images, problem.labels, threat, problem.targets)
    assert torch.equal(problem.model(adversarial).argmax(dim=1), problem.targets)
    ratios = threat.distance(adversarial, problem.images) / problem.distance
    assert ratios.max() < 1.021
    assert ratios.min() > 1.019


def test_targeted_it_passes_the_classes_in_between():
    model, _ = classes(7)
    images = middling(40)
    labels = model(images).argmax(dim=1)
    targets = model(images).argsort(dim=1)[:, 2]
    adversarial = DeepFool()(model, images, labels, ThreatModel("l2", math.inf), targets)
    changed = (adversarial != images).flatten(1).any(dim=1)
    assert changed.float().mean() > 0.9
    assert torch.equal(model(adversarial).argmax(dim=1)[changed], targets[changed])


def plain_deepfool(model, image, label, norm, overshoot):
    """Algorithm 2 for one image and all classes, without bounds."""
    total, moved = torch.zeros_like(image), image
    for _ in range(50):
        logits = model(moved[None])[0]
        if logits.argmax() != label:
            return moved
        best = math.inf
        for rival in range(len(logits)):
            if rival == label:
                continue
            slope = torch.autograd.functional.jacobian(
                lambda at, rival=rival: model(at[None])[0, rival] - model(at[None])[0, label], moved
            )
            dual = torch.linalg.vector_norm(slope, ord=DUAL[norm])
            length = (logits[label] - logits[rival]).abs() / dual
            if length < best:
                best = length
                step = length * (slope.sign() if norm == "linf" else slope / dual)
        total = total + step
        moved = image + (1 + overshoot) * total
    return image


@NORMS
def test_equals_the_paper_s_algorithm_written_out_where_no_bound_is_near(norm):
    model, images = bent(9), middling(30)
    labels = model(images).argmax(dim=1)
    expected = torch.stack(
        [
            plain_deepfool(model, image, label, norm, 0.02).detach()
            for image, label in zip(images, labels, strict=True)
        ]
    )
    inside = ((expected > 0.02) & (expected < 0.98)).flatten(1).all(dim=1)
    assert inside.sum() > 5
    adversarial = DeepFool()(model, images[inside], labels[inside], ThreatModel(norm, math.inf))
    torch.testing.assert_close(adversarial, expected[inside], atol=1e-8, rtol=0)


@NORMS
def test_crosses_though_all_pixels_stand_at_a_bound_and_half_the_slope_is_useless(norm):
    generator = torch.Generator().manual_seed(8)
    images = (torch.rand(20, 1, 4, 4, generator=generator, dtype=torch.float64) > 0.5).double()
    normal = torch.randn(16, generator=generator, dtype=torch.float64)
    top = float((images.flatten(1) @ normal).max()) + 0.5

    def model(batch):
        score = batch.flatten(1) @ normal
        return torch.stack([top - score, torch.zeros_like(score)], dim=1)

    adversarial = DeepFool()(model, images, torch.zeros(20, dtype=torch.long), ThreatModel(norm, math.inf))
    assert (model(adversarial).argmax(dim=1) == 1).all()
    assert adversarial.min() >= 0
    assert adversarial.max() <= 1


def test_images_across_leave_the_batch_and_later_steps_look_at_three_rivals():
    model, log = bent(8), []
    generator = torch.Generator().manual_seed(9)
    images = torch.rand(30, 1, 4, 4, generator=generator, dtype=torch.float64)
    DeepFool()(logged(model, log), images, model(images).argmax(dim=1), ThreatModel("l2", math.inf))
    sizes = [size for kind, size in log if kind == "forward"]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 30
    rivals = [7] + [3] * (len(sizes) // 2 - 1)
    expected = [("forward", 30)]
    for step, count in enumerate(rivals):
        size = sizes[1 + 2 * step]
        expected += [("forward", size)] + [("backward", size)] * count + [("forward", size)]
    assert log == expected


def test_images_that_are_wrong_already_return_unchanged(two_class):
    problem = two_class("l2")
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    adversarial = DeepFool()(problem.model, problem.images, labels, ThreatModel("l2", math.inf))
    moved = (adversarial != problem.images).flatten(1).any(dim=1)
    assert moved.tolist() == [True, False] * 3


def test_what_does_not_cross_in_time_returns_clean_and_the_last_step_counts(row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    threat = ThreatModel("l2", math.inf)
    broken = []
    for steps in (1, 2, 50):
        adversarial = DeepFool(steps=steps)(row_wise, extreme_images, labels, threat)
        crossed = row_wise(adversarial).argmax(dim=1) != labels
        assert torch.equal(adversarial[~crossed], extreme_images[~crossed])
        assert (Goal(labels).margin(row_wise(adversarial))[crossed] > 0).all()
        broken.append(int(crossed.sum()))
    assert 0 < broken[0] < broken[1] < broken[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be 1 or above, got 0"),
        ({"candidates": 1}, "candidates must be 2 or above, got 1"),
        ({"overshoot": -0.1}, r"overshoot must be 0 or above and finite, got -0\.1"),
        ({"overshoot": math.inf}, "overshoot must be 0 or above and finite, got inf"),
    ],
)
def test_refuses_settings_without_meaning(settings, message):
    with pytest.raises(InputError, match=message):
        DeepFool(**settings)
