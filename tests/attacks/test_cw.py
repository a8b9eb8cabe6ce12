import math

import pytest
import torch
from torch import nn

from purifold.attacks.base import Goal
from purifold.attacks.cw import CarliniWagner
from purifold.errors import InputError
from purifold.threat import ThreatModel

ANYWHERE = ThreatModel("l2", math.inf)
QUICK_BISECT = CarliniWagner(search="bisect", steps=60, search_steps=6)
SEARCHES = [CarliniWagner(), QUICK_BISECT]


class Log(torch.autograd.Function):
    """The identity; keeps the images that pass forward and how many pass backward."""

    @staticmethod
    def forward(ctx, images, forward, backward):
        ctx.backward = backward
        forward.append(images.detach().clone())
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.backward.append(len(gradient))
        return gradient, None, None


def logged(model, forward, backward):
    return lambda images: model(Log.apply(images, forward, backward))


def linear(normal, lead):
    """Two classes: class 0 leads by lead - normal . image."""

    def model(images):
        score = images.flatten(1) @ normal
        return torch.stack([lead - score, torch.zeros_like(score)], dim=1)

    return model


def nearest_in_range(image, normal, lack):
    """The closest image in [0, 1] whose product with the normal grows by `lack`: clip(image + t normal)."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        gain = ((image + middle * normal).clamp(0, 1) - image) @ normal
        low, high = (middle, high) if gain < lack else (low, middle)
    return (image + high * normal).clamp(0, 1)


def zeros(count):
    return torch.zeros(count, dtype=torch.long)


@pytest.mark.parametrize("attack", SEARCHES, ids=lambda attack: attack.search)
@pytest.mark.parametrize("shift", [0.0, -500.0])
def test_finds_the_distance_to_a_plane_within_a_fiftieth(attack, shift, two_class):
    problem = two_class("l2")
    adversarial = attack(lambda x: problem.model(x) + shift, problem.images, problem.labels, ANYWHERE)
    ratios = ANYWHERE.distance(adversarial, problem.images) / problem.distance
    assert (problem.model(adversarial).argmax(dim=1) == 1).all()
    assert ratios.max() < 1.02
    assert ratios.min() > 0.9999


@pytest.mark.parametrize("attack", SEARCHES, ids=lambda attack: attack.search)
@pytest.mark.parametrize("targeted", [False, True])
def test_finds_the_distance_to_each_class_of_a_linear_model(attack, targeted, many_class):
    problem = many_class("l2")
    targets = problem.targets if targeted else None
    adversarial = attack(problem.model, problem.images, problem.labels, ANYWHERE, targets)
    predicted = problem.model(adversarial).argmax(dim=1)
    assert (predicted == problem.targets if targeted else predicted != problem.labels).all()
    ratios = ANYWHERE.distance(adversarial, problem.images) / problem.distance
    assert ratios.max() < 1.02
    assert ratios.min() > 0.9999


@pytest.mark.parametrize("attack", SEARCHES, ids=lambda attack: attack.search)
def test_finds_the_nearest_image_though_all_its_pixels_are_0_or_1(attack):
    generator = torch.Generator().manual_seed(8)
    images = (torch.rand(12, 1, 4, 4, generator=generator, dtype=torch.float64) > 0.5).double()
    normal = torch.randn(16, generator=generator, dtype=torch.float64)
    lead = float((images.flatten(1) @ normal).max()) + 0.5
    nearest = [nearest_in_range(flat, normal, lead - flat @ normal) for flat in images.flatten(1)]
    adversarial = attack(linear(normal, lead), images, zeros(12), ANYWHERE)
    ratios = ANYWHERE.distance(adversarial, images) / ANYWHERE.distance(
        torch.stack(nearest).view_as(images), images
    )
    assert ratios.max() < 1.02
    assert ratios.min() > 0.9999


@pytest.mark.parametrize("attack", SEARCHES, ids=lambda attack: attack.search)
def test_crosses_by_the_confidence_and_hardly_more(attack, two_class):
    problem = two_class("l2", dtype=torch.float64)
    weight = problem.model[1].weight.detach()
    confidence = 0.2 * problem.distance * float((weight[1] - weight[0]).norm())
    sure = CarliniWagner(
        search=attack.search, steps=attack.steps, search_steps=attack.search_steps, confidence=confidence
    )
    adversarial = sure(problem.model, problem.images, problem.labels, ANYWHERE)
    margins = Goal(problem.labels).margin(problem.model(adversarial))
    assert (margins > confidence).all()
    ratios = ANYWHERE.distance(adversarial, problem.images) / (1.2 * problem.distance)
    assert ratios.max() < 1.02


def plain_carlini_wagner(model, image, label, threat, attack):
    """One image, written out with autograd and torch's own Adam; the closest success or the clean image."""
    lower, upper, c = 0.0, math.inf, attack.initial_c
    best, closest = math.inf, image
    radius = threat.epsilon if threat.norm == "linf" else math.inf
    low, high = (
        ((bound - 0.5) / 0.6).atanh()
        for bound in ((image - radius).clamp(min=0), (image + radius).clamp(max=1))
    )
    for _ in range(attack.search_steps):
        variable = ((image - 0.5) / 0.6).atanh().requires_grad_()
        adam, succeeded = torch.optim.Adam([variable], lr=attack.rate), False
        for step in range(attack.steps + 1):
            moved = 0.5 + 0.6 * variable.tanh()
            logits = model(moved[None])[0]
            lead = logits[label] - max(logits[k] for k in range(len(logits)) if k != label)
            length = (moved - image).square().sum()
            if lead < -attack.confidence and step:
                succeeded = True
                if length < best:
                    best, closest = length.item(), moved.detach()
            adam.zero_grad()
            (length + c * (lead + attack.confidence).clamp(min=0)).backward()
            adam.step()
            with torch.no_grad():
                variable.copy_(variable.clamp(low, high))
        lower, upper = (lower, c) if succeeded else (c, upper)
        c = 10 * c if math.isinf(upper) else (lower + upper) / 2
    return closest


@pytest.mark.parametrize("threat", [ANYWHERE, ThreatModel("linf", 0.08)], ids=str)
@pytest.mark.parametrize(
    "attack",
    [
        CarliniWagner(search="bisect", initial_c=0.01, steps=12, search_steps=5),
        CarliniWagner(search="bisect", initial_c=1.0, steps=30, search_steps=1, confidence=0.1),
    ],
    ids=["binary search", "one c"],
)
def test_bisect_equals_the_paper_s_procedure_written_out(attack, threat, row_wise, extreme_images):
    images = extreme_images[:10] * 0.9 + 0.05
    labels = row_wise(images).argmax(dim=1)
    adversarial = attack(row_wise, images, labels, threat)
    expected = torch.stack(
        [
            plain_carlini_wagner(row_wise, image, label, threat, attack)
            for image, label in zip(images, labels, strict=True)
        ]
    )
    changed = (expected != images).flatten(1).any(dim=1)
    assert changed.any()
    torch.testing.assert_close(adversarial, expected, atol=1e-8, rtol=0)


def test_one_c_of_100_steps_takes_101_passes_of_the_whole_batch(row_wise, extreme_images):
    forward, backward = [], []
    extreme_images = extreme_images[:8]
    labels = row_wise(extreme_images).argmax(dim=1)
    attack = CarliniWagner(search_steps=1, initial_c=1.0, search="bisect")
    attack(logged(row_wise, forward, backward), extreme_images, labels, ThreatModel("linf", 0.1))
    assert [len(batch) for batch in forward] == [8] * 101
    assert backward == [8] * 101


@pytest.mark.parametrize("search", ["multiplier", "bisect"])
def test_no_iterate_leaves_the_box_and_some_reach_its_walls(search, row_wise, extreme_images):
    seen = []
    labels = row_wise(extreme_images).argmax(dim=1)
    attack = CarliniWagner(search=search, steps=30, search_steps=2)
    alone = extreme_images[:1]
    attack(logged(row_wise, seen, []), alone, labels[:1], ThreatModel("linf", 0.02))
    iterates = torch.cat(seen)
    assert len(iterates) > 20
    assert (iterates - alone).abs().amax() <= 0.02 + 1e-12
    assert (iterates - alone).abs().amax() > 0.0199
    assert iterates.min() >= 0
    assert iterates.max() <= 1


def test_in_the_box_it_breaks_what_a_box_of_that_size_can_break(two_class):
    problem = two_class("linf")
    for factor, broken in ((1.05, True), (0.95, False)):
        threat = ThreatModel("linf", factor * problem.distance)
        attack = CarliniWagner(steps=60, search_steps=4)
        adversarial = attack(problem.model, problem.images, problem.labels, threat)
        assert ((problem.model(adversarial).argmax(dim=1) == 1) == broken).all()


def test_images_that_are_wrong_already_return_unchanged(two_class):
    problem = two_class("l2")
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    adversarial = CarliniWagner()(problem.model, problem.images, labels, ANYWHERE)
    distances = ANYWHERE.distance(adversarial, problem.images)
    assert (distances[1::2] == 0).all()
    assert (distances[::2] > 0).all()


@pytest.mark.parametrize("attack", SEARCHES, ids=lambda attack: attack.search)
def test_failures_return_the_clean_image_beside_successes(attack):
    normal = torch.tensor([1.0, 0.0, 0.0, 0.0])
    images = torch.full((2, 1, 2, 2), 0.5)
    images[1, 0, 0, 1] = 0.9

    def hard(batch):  # the second pixel, which the gradient does not show, puts a class out of reach
        logits = linear(normal, 0.7)(batch)
        unreachable = (batch[:, 0, 0, 1:2] > 0.8).float() * torch.tensor([[100.0, 0.0]])
        return logits + unreachable.detach()

    adversarial = attack(hard, images, zeros(2), ANYWHERE)
    assert torch.equal(adversarial[1], images[1])
    assert hard(adversarial).argmax(dim=1).tolist() == [1, 0]


def test_successes_hold_when_the_model_is_asked_again_one_by_one():
    generator = torch.Generator().manual_seed(9)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 50), nn.Tanh(), nn.Linear(50, 10), nn.LogSoftmax(dim=1)
    ).eval()
    for weight in model.parameters():
        weight.data = torch.randn(weight.shape, generator=generator)
    images = torch.rand(12, 1, 8, 8, generator=generator)
    labels = model(images).argmax(dim=1)
    adversarial = CarliniWagner(steps=40)(model, images, labels, ANYWHERE)
    alone = torch.cat([model(image[None].double().float()) for image in adversarial])
    assert (alone.argmax(dim=1) != labels).all()
    assert (Goal(labels).margin(alone) > 0).all()


def test_multiplier_needs_a_third_of_bisect_s_passes_and_comes_as_near(row_wise, extreme_images):
    extreme_images = extreme_images[:24]
    labels = row_wise(extreme_images).argmax(dim=1)
    passes, lengths = {}, {}
    for search in ("multiplier", "bisect"):
        forward, backward = [], []
        attack = CarliniWagner(search=search, steps=60, search_steps=6, descents=1)
        adversarial = attack(logged(row_wise, forward, backward), extreme_images, labels, ANYWHERE)
        assert sum(backward) == sum(map(len, forward))
        sizes = [len(batch) for batch in forward]
        assert sizes == sorted(sizes, reverse=True)
        passes[search] = sum(sizes)
        lengths[search] = ANYWHERE.distance(adversarial, extreme_images)
        assert (row_wise(adversarial).argmax(dim=1) != labels).all()
    assert passes["multiplier"] < passes["bisect"] / 3
    assert (lengths["multiplier"] / lengths["bisect"]).median() < 1.005


def test_a_second_descent_comes_nearer_for_some_and_farther_for_none(row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    once, twice = (
        ANYWHERE.distance(attack(row_wise, extreme_images, labels, ANYWHERE), extreme_images)
        for attack in (CarliniWagner(descents=1), CarliniWagner(descents=2))
    )
    assert (twice <= once).all()
    assert (twice < 0.999 * once).any()


def test_a_far_too_small_c_grows_until_it_suffices(two_class):
    problem = two_class("l2")
    adversarial = CarliniWagner(initial_c=1e-6)(problem.model, problem.images, problem.labels, ANYWHERE)
    ratios = ANYWHERE.distance(adversarial, problem.images) / problem.distance
    assert ratios.max() < 1.02


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be 1 or above, got 0"),
        ({"search_steps": 0}, "search_steps must be 1 or above, got 0"),
        ({"rate": 0.0}, r"rate must be above 0 and finite, got 0\.0"),
        ({"rate": math.nan}, "rate must be above 0 and finite, got nan"),
        ({"initial_c": -1.0}, r"initial_c must be above 0 and finite, got -1\.0"),
        ({"confidence": -0.1}, r"confidence must be 0 or above and finite, got -0\.1"),
    ],
)
def test_refuses_settings_without_meaning(settings, message):
    with pytest.raises(InputError, match=message):
        CarliniWagner(**settings)
