"""Checks of the gradient that an adaptive attacker follows, and of what a system claims about itself."""

import torch
from torch import Tensor

from purifold.defenses.base import Defended
from purifold.evaluation.check import Verdict, at_most, check, most
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.surface import View, surface
from purifold.evaluation.trial import Trial
from purifold.losses import cross_entropy, margin
from purifold.randomness import seeded
from purifold.types import Images, Mask, Model

VANISHED = 0.01
"""Share of images that may have no gradient; AutoAttack warns at any."""
COMPARED, DIRECTIONS = 32, 8
STEP = 1e-6
"""Of the finite differences, in float64: above rounding, below the distance to most kinks."""
DISAGREEMENT = 0.05
NOISE = 1e-4
"""Change of the logits between two calls, relative to the largest, that is still rounding."""


@check(
    "gradients exist",
    why="an attack without a gradient does not move: detached, rounded or saturated somewhere in the system",
)
def gradients_exist(trial: Trial) -> Verdict:
    """Whether the cross-entropy, and each detector's score, has a gradient at clean images."""
    images = trial.split.images().requires_grad_()
    with torch.enable_grad(), seeded(trial.seed):
        draws = (1, 2) if trial.defended.stochastic else (1,)
        models = [surface(trial.undetected, "adaptive", view=View(draws=each)) for each in draws]
        losses = [cross_entropy(model(images), trial.split.labels) for model in models]
        losses += [detector(images) for detector in trial.defended.detectors]
        gradients = [_gradient(loss.sum(), images).flatten(1) for loss in losses]
    zero = _any_of([(gradient == 0).all(dim=1) for gradient in gradients])
    broken = _any_of([~gradient.isfinite().all(dim=1) for gradient in gradients])
    measured = f"zero on {zero}, not finite on {broken} images{_bpda(trial)}"
    wanted = (
        f"zero on at most {VANISHED:.0%} (up to {most(VANISHED, zero.trials)} of {zero.trials}), all finite"
    )
    return Verdict(at_most(zero, VANISHED) and broken.successes == 0, measured, wanted)


@check(
    "gradients agree with finite differences",
    why="autograd gives something else than the slope of the system, so attacks climb in a wrong direction",
)
def gradients_agree(trial: Trial) -> Verdict:
    """Whether autograd and finite differences of the margin agree, in float64 with sampling off.

    Of a purifier that is not differentiable, the surrogate is compared: its own gradient does not exist.
    """
    wanted = f"median relative difference below {DISAGREEMENT:.0%}"
    precise, split = trial.precise, trial.split.first(COMPARED)
    if precise is None:
        return Verdict(None, "the system does not run in float64", wanted)
    images = split.images().double()
    with seeded(trial.seed):
        # Off the flat backgrounds, where pooling has ties and no slope, and inside the pixel range.
        images = 0.98 * images + 0.005 + 0.01 * torch.rand_like(images)
        error = _disagreement(_smooth(precise), images, split.labels)
    measured = f"{error:.2g} over {len(split)} images, {DIRECTIONS} directions each{_bpda(trial)}"
    return Verdict(error < DISAGREEMENT, measured, wanted)


@check(
    "randomness is declared",
    why="a random system judged on one draw: lucky draws count as robust, and gradients need averaging",
)
def randomness_declared(trial: Trial) -> Verdict:
    """Whether a system that says it is deterministic gives the same logits and predictions twice."""
    wanted = f"two calls differ by at most {NOISE:g} of the largest logit, and in no prediction"
    defended, images = trial.defended, trial.split.images()
    if defended.stochastic:
        return Verdict(None, "the system says that it is stochastic; it is judged over draws", wanted)
    with torch.no_grad():
        answers = []
        for seed in (trial.seed, trial.seed + 1):
            with seeded(seed):
                answers.append((defended(images), defended.predict(images)))
    (first, predicted), (second, again) = answers
    change = float((first - second).abs().max() / first.abs().max().clamp_min(1e-30))
    flips = Proportion.of((predicted != again).cpu())
    passed = change <= NOISE and flips.successes == 0
    return Verdict(passed, f"logits differ by {change:.2g}, predictions on {flips} images", wanted)


def _smooth(defended: Defended) -> Model:
    """What is differentiated with sampling off; through the surrogate alone where BPDA would be used."""
    purifier, classifier = defended.purifier, defended.classifier
    if purifier is None or (purifier.differentiable and not purifier.stochastic):
        return defended
    return lambda images: classifier(purifier.surrogate(images))


def _disagreement(model: Model, images: Images, labels: Tensor) -> float:
    """Median over images and random directions of the relative difference of the two slopes."""
    images = images.requires_grad_()
    with torch.enable_grad():
        gradient = _gradient(margin(model(images), labels).sum(), images).flatten(1)
    errors = []
    with torch.no_grad():
        for _ in range(DIRECTIONS):
            direction = torch.randn_like(images)
            direction /= torch.linalg.vector_norm(direction.flatten(1), dim=1)[:, None, None, None]
            ahead, behind = (margin(model(images + way * direction), labels) for way in (STEP, -STEP))
            slope, claimed = (ahead - behind) / (2 * STEP), (gradient * direction.flatten(1)).sum(dim=1)
            scale = torch.maximum(slope.abs(), claimed.abs())
            rounding = 1e-7
            errors.append(torch.where(scale > rounding, (slope - claimed).abs() / scale, 0))
    return float(torch.cat(errors).median())


def _gradient(loss: Tensor, images: Images) -> Images:
    if not loss.requires_grad:
        return torch.zeros_like(images)
    (gradient,) = torch.autograd.grad(loss, images, allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient


def _any_of(masks: list[Mask]) -> Proportion:
    return Proportion.of(torch.stack(masks).any(dim=0))


def _bpda(trial: Trial) -> str:
    purifier = trial.defended.purifier
    return "" if purifier is None or purifier.differentiable else "; BPDA only: the surrogate's gradient"
