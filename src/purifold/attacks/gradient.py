"""What attacks that follow gradients share: the gradient of a goal, and how to step along it in a norm."""

import math

import torch

from purifold.attacks.base import Goal
from purifold.errors import Failure, InputError
from purifold.losses import Loss
from purifold.threat import ORDER, Norm, ThreatModel
from purifold.types import Images, Logits, Model, Scores

UNITS = 16
"""Units of the last place by which logits may differ between batches."""


def objective_gradient(model: Model, images: Images, goal: Goal, loss: Loss) -> tuple[Images, Logits]:
    """Gradient of each image's objective at `images`, and the logits there: one forward and backward pass.

    Raises:
        InputError, Failure: As `input_gradient`.
    """
    images = images.detach().requires_grad_()
    logits = model(images)
    return input_gradient(goal.objective(logits, loss), images), logits.detach()


def input_gradient(scores: Scores, images: Images, *, again: bool = False) -> Images:
    """Gradient of each image's score: one backward pass; `again` keeps the graph for another.

    Raises:
        InputError: The scores do not depend differentiably on the images at all.
        Failure: The gradient holds NaN or infinity, which an attack would otherwise pass over in silence.
    """
    gradient = None
    if scores.requires_grad:
        (gradient,) = torch.autograd.grad(scores.sum(), images, retain_graph=again, allow_unused=True)
    if gradient is None:
        raise InputError(
            "model must be differentiable, its logits carry no gradient; "
            "wrap what hides it in StraightThrough, or use an attack that reads scores only (square)"
        )
    if gradient.numel() and not torch.stack(gradient.aminmax()).isfinite().all():  # faster than asking each
        broken = int((~gradient.isfinite()).flatten(1).any(dim=1).sum())
        raise Failure(
            f"the model's gradient holds NaN or infinity on {broken} of {len(images)} images; "
            "look for log(0), sqrt(0) or a division by 0 inside the model"
        )
    return gradient


def steepest(gradient: Images, norm: Norm) -> Images:
    """Perturbation of unit norm that raises a loss of this gradient most; 0 where the gradient is 0."""
    return gradient.sign() if norm == "linf" else unit(gradient, norm)


def unit(perturbations: Images, norm: Norm | float) -> Images:
    """Perturbations scaled to norm 1 (a name, or its order); 0 stays 0, and tiny ones do not underflow."""
    order = ORDER[norm] if isinstance(norm, str) else norm
    largest = _column(perturbations.flatten(1).abs().amax(dim=1))
    scaled = perturbations / torch.where(largest > 0, largest, 1)
    length = _column(torch.linalg.vector_norm(scaled.flatten(1), ord=order, dim=1))
    return scaled / torch.where(length > 0, length, 1)


def reach(threat: ThreatModel, images: Images) -> float:
    """Length of the longest perturbation that matters: epsilon, or the diameter of [0, 1] where shorter.

    Step lengths are shares of it, so that an unbounded threat model has a finite step.
    """
    diameter = 1.0 if threat.norm == "linf" else math.sqrt(images.shape[1:].numel())
    return min(threat.epsilon, diameter)


def rounding(logits: Logits) -> Scores:
    """Margin that rounding could undo when the model is asked again in another batch."""
    return UNITS * torch.finfo(logits.dtype).eps * logits.detach().abs().amax(dim=1)


def _column(scores: Scores) -> Images:
    return scores[:, None, None, None]
