"""DeepFool: steps to the nearest boundary of the classifier made linear.

Moosavi-Dezfooli et al., 2016, arXiv:1511.04599, algorithm 2 (L2) and section 3.3 (L-inf).
"""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from purifold.attacks.base import Goal, MinimumNormAttack
from purifold.attacks.gradient import input_gradient, rounding, steepest
from purifold.checks import check_at_least
from purifold.errors import InputError
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Labels, Logits, Mask, Model, Scores

DUAL = {"l2": 2, "linf": 1}
"""Order of the norm that bounds what a step of length 1 can gain."""
NEAREST = 3
"""Rivals that are looked at after the first step, which looks at all."""
APPROACH = 4
"""Steps that count pixels as free to move though they stand at a bound."""


@final
@dataclass(frozen=True, kw_only=True)
class DeepFool(MinimumNormAttack):
    """Crosses the nearest boundary of the linearised classifier, and again from there until misclassified.

    A step takes two forward passes and a backward pass a rival, over the images not yet across.

    Args:
        steps: Linearisations at most.
        overshoot: Share by which the sum of the steps is lengthened.
        candidates: Classes considered: the label, and its rivals by the clean image's logits.

    Differs: keeps to [0, 1]. The sum is lengthened before each linearisation, as in the authors' code; the
    paper does it once, at the end. After the first step only the three nearest rivals are looked at. From
    the fifth step on, pixels that a step would push out of [0, 1] do not count on the way to the boundary;
    until then they do: steps fall short, so that more gradients shape a smaller perturbation. Targeted (not
    in the paper): the boundary between the target and the class that leads.
    """

    name: ClassVar[str] = "deepfool"
    norms: ClassVar[tuple[Norm, ...]] = ("l2", "linf")
    targetable: ClassVar[bool] = True

    steps: int = 50
    overshoot: float = 0.02
    candidates: int = 10

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")
        check_at_least(self.candidates, 2, "candidates")
        if not 0 <= self.overshoot < math.inf:
            raise InputError(f"overshoot must be 0 or above and finite, got {self.overshoot}")

    def minimize(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The first iterates across a boundary; the clean image where none was."""
        crossed = images.clone()
        clean, at, total = images, images, torch.zeros_like(images)
        rows = torch.arange(len(images), device=images.device)
        logits = _answer(model, images)
        rivals = self._rivals(logits, goal)
        for done in range(self.steps):
            going = ~_safely(goal.select(rows), logits)
            if not going.any():
                break
            rows, clean, at, total, rivals = (kept[going] for kept in (rows, clean, at, total, rivals))
            steps, lengths = _steps(
                model, at, goal.select(rows), rivals, norm=threat.norm, freely=done < APPROACH
            )
            total = total + steps
            rivals = rivals.gather(1, lengths.argsort(dim=1)[:, :NEAREST])
            at = (clean + (1 + self.overshoot) * total).clamp(0, 1)
            logits = _answer(model, at)
            across = _safely(goal.select(rows), logits)
            crossed[rows[across]] = at[across]
        return crossed

    def _rivals(self, logits: Logits, goal: Goal) -> Tensor:
        """Classes to step to: (batch, candidates - 1), or the target alone."""
        if goal.targets is not None:
            return goal.targets[:, None]
        others = logits.scatter(1, goal.labels[:, None], -torch.inf)
        return others.topk(min(self.candidates, logits.shape[1]) - 1).indices


@torch.no_grad()
def _answer(model: Model, images: Images) -> Logits:
    return model(images)


def _safely(goal: Goal, logits: Logits) -> Mask:
    """Which images reach the goal by more than rounding could undo."""
    return goal.margin(logits) > rounding(logits)


def _steps(
    model: Model, images: Images, goal: Goal, rivals: Tensor, *, norm: Norm, freely: bool
) -> tuple[Images, Tensor]:
    """For each image the shortest step to a linearised boundary, and the lengths of those to each rival."""
    images = images.detach().requires_grad_()
    logits = model(images)
    held = goal.labels if goal.targets is None else _leader(logits, goal.targets)
    shortest, lengths = torch.zeros_like(images), torch.full_like(rivals, torch.inf, dtype=images.dtype)
    for place in range(rivals.shape[1]):
        pair = torch.stack([rivals[:, place], held], dim=1)
        lead = logits.gather(1, pair).diff(dim=1).squeeze(1)
        slope = -input_gradient(lead, images, again=place + 1 < rivals.shape[1])
        lack = (lead.detach() + 2 * rounding(logits)).to(images.dtype)
        step, length = _to_boundary(images.detach(), lack, slope, norm, freely)
        shorter = length < lengths.amin(dim=1)
        shortest = torch.where(shorter[:, None, None, None], step, shortest)
        lengths[:, place] = length
    return shortest, lengths


def _leader(logits: Logits, targets: Labels) -> Labels:
    return logits.detach().scatter(1, targets[:, None], -torch.inf).argmax(dim=1)


def _to_boundary(
    images: Images, lack: Scores, slope: Images, norm: Norm, freely: bool
) -> tuple[Images, Scores]:
    """The shortest step whose product with `slope` is `lack`, and its length; infinite where all is flat."""
    if not freely:
        pinned = ((images <= 0) & (slope < 0)) | ((images >= 1) & (slope > 0))
        slope = torch.where(pinned, 0, slope)
    dual = torch.linalg.vector_norm(slope.flatten(1), ord=DUAL[norm], dim=1)
    length = torch.where(dual > 0, lack / dual, 0)
    return steepest(slope, norm) * length[:, None, None, None], torch.where(dual > 0, length, torch.inf)
