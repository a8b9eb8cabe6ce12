"""What every attack of the room does to images, found by discovery: nobody enters an attack in a list."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from purifold.attacks.base import Attack, MinimumNormAttack
from purifold.discovery import classes
from purifold.threat import ThreatModel

ATTACKS = classes(Attack)
QUICK = {
    "apgd": {"steps": 20},
    "cw-l2": {"steps": 20, "search_steps": 4},
    "pgd": {"steps": 10},
    "rand-fgsm": {"noise_share": 1 / 6},
    "square": {"queries": 40},
}
"""Smaller configurations where the defaults would be slow here."""
SHARP = QUICK | {"cw-l2": {}, "square": {"queries": 600}}
"""The same where an attack must find what is there to be found."""
SLACK = {"rand-fgsm": 1 / (1 - 2 / 6) + 0.05, "square": 1.5}
"""Multiples of the closed-form distance that suffice where 1.1 does not: RAND+FGSM's noise may point straight
back; Square moves whole patches and nears the normal's direction in L2 only slowly."""


@dataclasses.dataclass(frozen=True)
class Mode:
    """One way to run one attack."""

    name: str
    norm: str
    targeted: bool

    def __str__(self):
        return f"{self.name}-{self.norm}-{'targeted' if self.targeted else 'untargeted'}"

    def quick(self) -> Attack:
        return quick(self.name)

    def sharp(self) -> Attack:
        return ATTACKS[self.name](**SHARP.get(self.name, {}))

    def enough(self) -> float:
        return 1.1 if (self.name, self.norm) == ("square", "linf") else SLACK.get(self.name, 1.1)

    def others(self, labels, classes=3):
        """Targets, where there are any."""
        return (labels + 1) % classes if self.targeted else None


def quick(name: str) -> Attack:
    return ATTACKS[name](**QUICK.get(name, {}))


MODES = [
    Mode(name, norm, targeted)
    for name, attack in ATTACKS.items()
    for norm in attack.norms
    for targeted in ([False, True] if attack.targetable else [False])
]
UNBOXED = [
    mode
    for mode in MODES
    if issubclass(ATTACKS[mode.name], MinimumNormAttack) and mode.norm not in ATTACKS[mode.name].boxed
]
every_mode = pytest.mark.parametrize("mode", MODES, ids=str)


def reached(model, adversarial, labels, targets):
    predicted = model(adversarial).argmax(dim=1)
    return predicted != labels if targets is None else predicted == targets


def lengths(adversarial, images, norm):
    flat = (adversarial - images).double().flatten(1).numpy()
    return np.linalg.norm(flat, ord={"linf": np.inf, "l2": 2}[norm], axis=1)


@every_mode
def test_crosses_a_linear_boundary_just_above_its_distance_and_never_below(mode, two_class):
    problem = two_class(mode.norm)
    targets = problem.targets if mode.targeted else None
    for factor, wanted in ((mode.enough(), True), (0.9, False)):
        threat = ThreatModel(mode.norm, factor * problem.distance)
        adversarial = mode.sharp()(problem.model, problem.images, problem.labels, threat, targets)
        assert (reached(problem.model, adversarial, problem.labels, targets) == wanted).all(), factor


@every_mode
def test_reaches_each_target_of_a_many_class_linear_model_and_never_below_its_distance(mode, many_class):
    problem = many_class(mode.norm)
    targets = problem.targets if mode.targeted else None
    for factor, wanted in ((1.3 * mode.enough(), True), (0.9, False)):
        threat = ThreatModel(mode.norm, factor * problem.distance)
        adversarial = mode.sharp()(problem.model, problem.images, problem.labels, threat, targets)
        assert (reached(problem.model, adversarial, problem.labels, targets) == wanted).all(), factor


@every_mode
@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.5, math.inf])
def test_keeps_budget_and_range_without_nan(mode, epsilon, row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    adversarial = mode.quick()(row_wise, extreme_images, labels, ThreatModel(mode.norm, epsilon), targets)
    assert adversarial.shape == extreme_images.shape
    assert adversarial.dtype == extreme_images.dtype
    assert not adversarial.requires_grad
    assert adversarial.isfinite().all()
    assert adversarial.min() >= 0
    assert adversarial.max() <= 1
    assert lengths(adversarial, extreme_images, mode.norm).max() <= epsilon + 1e-6


@every_mode
def test_returns_the_clean_images_at_epsilon_0(mode, row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    adversarial = mode.quick()(row_wise, extreme_images, labels, ThreatModel(mode.norm, 0.0), targets)
    assert torch.equal(adversarial, extreme_images)


@every_mode
def test_breaks_every_image_when_unbounded(mode, two_class):
    problem = two_class(mode.norm)
    targets = problem.targets if mode.targeted else None
    threat = ThreatModel(mode.norm, math.inf)
    adversarial = mode.sharp()(problem.model, problem.images, problem.labels, threat, targets)
    assert reached(problem.model, adversarial, problem.labels, targets).all()


@every_mode
def test_moves_pixels_that_are_exactly_0_or_1(mode, two_class):
    problem = two_class(mode.norm)
    problem.images = (problem.images > 0.5).float()
    weight = problem.model[1].weight.detach()
    across = weight[1] - weight[0]
    problem.model[1].bias.data[0] = float((problem.images.flatten(1) @ across).max()) + 1.0
    useful = (across > 0) == (problem.images.flatten(1) == 0)
    margins = problem.model(problem.images).detach().diff(dim=1).squeeze(1)
    dual = torch.linalg.vector_norm(across * useful, ord=1 if mode.norm == "linf" else 2, dim=1)
    threat = ThreatModel(mode.norm, 3 * float((-margins / dual).max()))
    targets = problem.targets if mode.targeted else None
    adversarial = mode.sharp()(problem.model, problem.images, problem.labels, threat, targets)
    assert reached(problem.model, adversarial, problem.labels, targets).all()


class Shifted(nn.Module):
    """The same classifier with other numbers: a constant, or log-probabilities, which are all negative."""

    def __init__(self, model, form):
        super().__init__()
        self.model = model
        self.form = form

    def forward(self, images):
        logits = self.model(images)
        return logits.log_softmax(dim=1) if self.form == "log-probabilities" else logits + self.form


@every_mode
@pytest.mark.parametrize("form", [-1000.0, 1000.0, "log-probabilities"])
def test_is_blind_to_a_shift_of_all_logits(mode, form, row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    threat = ThreatModel(mode.norm, {"linf": 0.1, "l2": 0.5}[mode.norm])
    plain = mode.quick()(row_wise, extreme_images, labels, threat, targets)
    shifted = mode.quick()(Shifted(row_wise, form).eval(), extreme_images, labels, threat, targets)
    assert not torch.equal(plain, extreme_images)
    torch.testing.assert_close(shifted, plain, atol=1e-6, rtol=0)


@every_mode
@pytest.mark.parametrize("batch_size", [1, 7])
def test_gives_an_image_the_same_result_in_any_batch(mode, batch_size, row_wise, extreme_images):
    extreme_images = extreme_images[:16]
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    threat = ThreatModel(mode.norm, {"linf": 0.05, "l2": 0.25}[mode.norm])
    whole = mode.quick()(row_wise, extreme_images, labels, threat, targets, batch_size=64)
    parts = mode.quick()(row_wise, extreme_images, labels, threat, targets, batch_size=batch_size)
    torch.testing.assert_close(parts, whole, atol=1e-10, rtol=0)
    broken = reached(row_wise, whole, labels, targets)
    assert broken.any(), "none finishes early, so nothing could leak"


@every_mode
def test_gives_an_image_the_same_result_at_any_place(mode, row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    threat = ThreatModel(mode.norm, {"linf": 0.05, "l2": 0.25}[mode.norm])
    forward = mode.quick()(row_wise, extreme_images, labels, threat, targets)
    turned = None if targets is None else targets.flip(0)
    backward = mode.quick()(row_wise, extreme_images.flip(0), labels.flip(0), threat, turned)
    torch.testing.assert_close(backward.flip(0), forward, atol=1e-10, rtol=0)


@every_mode
def test_repeats_itself_on_a_stochastic_model(mode, row_wise, extreme_images):
    def noisy(images):
        return row_wise(images + 0.01 * torch.randn(images.shape, dtype=images.dtype))

    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    threat = ThreatModel(mode.norm, 0.1)
    torch.manual_seed(1)
    first = mode.quick()(noisy, extreme_images, labels, threat, targets)
    torch.manual_seed(2)
    second = mode.quick()(noisy, extreme_images, labels, threat, targets)
    assert torch.equal(first, second)


@every_mode
def test_leaves_the_callers_world_as_found(mode, row_wise, extreme_images):
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    kept = extreme_images.clone(), labels.clone(), torch.get_rng_state(), np.random.get_state()[1].copy()
    images = extreme_images.requires_grad_()
    with torch.no_grad():
        adversarial = mode.quick()(row_wise, images, labels, ThreatModel(mode.norm, 0.1), targets)
        assert not torch.is_grad_enabled()
    assert not adversarial.requires_grad
    assert torch.equal(images, kept[0])
    assert images.grad is None
    assert torch.equal(labels, kept[1])
    assert torch.equal(torch.get_rng_state(), kept[2])
    assert (np.random.get_state()[1] == kept[3]).all()
    assert not row_wise.training
    assert all(weight.grad is None and weight.requires_grad for weight in row_wise.parameters())


@every_mode
def test_keeps_wrong_predictions_wrong(mode, two_class):
    problem = two_class(mode.norm)
    right_for_nobody = 1 - problem.labels
    targets = mode.others(right_for_nobody, 2)
    threat = ThreatModel(mode.norm, 0.5 * problem.distance)
    adversarial = mode.quick()(problem.model, problem.images, right_for_nobody, threat, targets)
    assert (problem.model(adversarial).argmax(dim=1) != right_for_nobody).all()


@every_mode
def test_survives_a_model_without_any_slope(mode, extreme_images):
    def flat(images):
        return images.flatten(1)[:, :3] * 0 + torch.tensor([1.0, 0.0, 0.0], dtype=images.dtype)

    labels = torch.zeros(64, dtype=torch.long)
    targets = mode.others(labels)
    adversarial = mode.quick()(flat, extreme_images, labels, ThreatModel(mode.norm, 0.1), targets)
    assert adversarial.isfinite().all()


@pytest.mark.parametrize("mode", UNBOXED, ids=str)
def test_where_no_box_shapes_the_search_one_search_serves_every_budget(mode, row_wise, extreme_images):
    attack = mode.quick()
    labels = row_wise(extreme_images).argmax(dim=1)
    targets = mode.others(labels)
    free = attack(row_wise, extreme_images, labels, ThreatModel(mode.norm, math.inf), targets)
    tight = ThreatModel(mode.norm, float(np.median(lengths(free, extreme_images, mode.norm))))
    bound = attack(row_wise, extreme_images, labels, tight, targets)
    assert torch.equal(tight.within(free, extreme_images), bound)
    assert not torch.equal(free, bound)
