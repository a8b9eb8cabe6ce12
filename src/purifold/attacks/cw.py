"""The Carlini-Wagner attack: descent on squared distance plus c times the margin that is missing.

Carlini and Wagner, 2017, arXiv:1608.04644, sections V and VI.A.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final, get_args

import torch
from torch import Tensor

from purifold.attacks.base import Goal, MinimumNormAttack
from purifold.attacks.gradient import objective_gradient, rounding
from purifold.checks import check_at_least
from purifold.errors import InputError, unknown
from purifold.losses import margin
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Mask, Model, Scores

Search = Literal["multiplier", "bisect"]

REACH = 0.6
"""Half the range of the tanh: [-0.1, 1.1], so that pixels at 0 and 1 are finite in it and can move."""
GROWTH = 10.0
"""Factor on c where it was too small, as in the authors' code."""
EXCESS = 1.5
"""c over the multiplier, so that the push across the boundary stays stronger than the pull back."""
LOST = 12
"""Iterations outside after a success until c doubles: it was too small to lead back."""
CALMING = 0.95
"""What is left of an image's rate after each crossing of the boundary."""
PATIENCE = 0.3
"""Iterations without progress after which an image stops, as a share of `steps`."""
PROGRESS = 0.999
"""A loss below this share of the best one is progress."""
MOMENTS = (0.9, 0.999)
"""Adam's decays."""
STABLE = 1e-8
"""Adam's epsilon."""
STARTS = ((1.0, 1.0), (0.1, 2.0))
"""Factors on the first c and on the rate, one pair a descent: the two end in different minima, and the nearer
of them is 0.7 % nearer on average than the first (768 MNIST validation images)."""


@final
@dataclass(frozen=True, kw_only=True)
class CarliniWagner(MinimumNormAttack):
    """Adam on `|x' - x|^2 + c * max(0, confidence - margin(x'))`; the closest success of all iterates.

    Under L-inf the perturbation is projected on the box of radius epsilon after every step, and any image
    inside that reaches the goal is a success; distance stays L2. The attack of `ae-robustness` is
    `CarliniWagner(search_steps=1, initial_c=1.0, search="bisect")` (100 iterations, rate 0.1, kappa 0).

    Args:
        steps: Adam iterations for one value of c.
        search_steps: Values of c.
        rate: Adam's learning rate.
        initial_c: First c; None takes one that suffices were the model linear.
        confidence: kappa, the logit margin that a success must have.
        search: "bisect": every c starts at the clean image and runs all `steps`; c grows tenfold until it
            suffices, then halves its bracket. "multiplier": below.
        descents: 1 or 2, of the search "multiplier"; the second starts with a tenth of the c and twice the
            rate, and the nearer success counts. "bisect" starts anew with every c and takes no notice.

    Differs: x' = 0.5 + 0.6 tanh(w), with w bounded where x' leaves the pixel range; 0.5 + 0.5 tanh(w) has
    pixels at 0 and 1 at infinity. "multiplier" replaces the binary search: any c above the Lagrange
    multiplier of the boundary has the same minimum, so c becomes 1.5 times the multiplier measured whenever
    an image falls back across it, and doubles where it does not return. Each crossing cuts the image's rate,
    an image whose loss stalls is done, and one that never succeeded tries ten times the c; a second descent
    from another start keeps a poor local minimum from being the answer.
    """

    name: ClassVar[str] = "cw-l2"
    norms: ClassVar[tuple[Norm, ...]] = ("l2", "linf")
    targetable: ClassVar[bool] = True
    boxed: ClassVar[tuple[Norm, ...]] = ("linf",)

    steps: int = 100
    search_steps: int = 9
    rate: float = 0.1
    initial_c: float | None = None
    confidence: float = 0.0
    search: Search = "multiplier"
    descents: int = 2

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")
        check_at_least(self.search_steps, 1, "search_steps")
        if self.descents not in {1, 2}:
            raise InputError(f"descents must be 1 or 2, got {self.descents}")
        for name, value in (("rate", self.rate), ("initial_c", self.initial_c)):
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} must be above 0 and finite, got {value}")
        if not 0 <= self.confidence < math.inf:
            raise InputError(f"confidence must be 0 or above and finite, got {self.confidence}")
        if self.search not in get_args(Search):
            raise unknown("search", str(self.search), get_args(Search))

    def minimize(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The closest images found in L2, under L-inf inside the box; the clean one where none was found."""
        objective = _Objective(model, goal, self.confidence)
        missing, slope = objective(images, torch.arange(len(images), device=images.device))
        rows = missing.nonzero().squeeze(1)
        c, rate = self._first_c(missing[rows], slope[rows]), torch.full_like(missing[rows], self.rate)
        closest = _Closest(images)
        starts = STARTS[: self.descents] if self.search == "multiplier" else STARTS[:1]
        search = self._bisect if self.search == "bisect" else self._follow
        for c_factor, rate_factor in starts:
            descent = _Descent(objective, rows, images[rows], slope[rows], threat)
            search(descent, closest, c_factor * c, rate_factor * rate)
        return closest.images

    def _first_c(self, missing: Scores, slope: Images) -> Scores:
        if self.initial_c is not None:
            return torch.full_like(missing, self.initial_c)
        steepness = slope.flatten(1).square().sum(dim=1)
        return torch.where(steepness > 0, EXCESS * 2 * missing / steepness, 1)

    def _bisect(self, descent: "_Descent", closest: "_Closest", c: Scores, rate: Scores) -> None:
        """The paper's search over c; every image takes `steps * search_steps` passes."""
        lower, upper = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.search_steps if len(c) else 0):
            descent.restart()
            succeeded = torch.zeros_like(c, dtype=torch.bool)
            for _ in range(self.steps):
                missing = descent.step(c, rate)
                closest.offer(descent.rows, descent.images, missing == 0)
                succeeded |= missing == 0
            lower, upper = torch.where(succeeded, lower, c), torch.where(succeeded, c, upper)
            c = torch.where(upper.isinf(), GROWTH * c, (lower + upper) / 2)

    def _follow(self, descent: "_Descent", closest: "_Closest", c: Scores, rate: Scores) -> None:
        """The search by multipliers; each image leaves the batch on its own."""
        course = _Course(c, rate)
        while len(descent.rows):
            missing = descent.step(course.c, course.rate)
            lengths = closest.offer(descent.rows, descent.images, missing == 0)
            course.judge(missing, lengths)
            course.adapt(descent.multiplier())
            finished = course.finished(self.steps, self.search_steps)
            if finished.any():
                _keep(descent, ~finished)
                _keep(course, ~finished)


@final
@dataclass(frozen=True)
class _Objective:
    """What each image still misses."""

    model: Model
    goal: Goal
    confidence: float

    def __call__(self, images: Images, rows: Tensor) -> tuple[Scores, Images]:
        """Missing margin of the images of these rows, 0 at success, and its gradient."""
        goal = self.goal.select(rows)
        gradient, logits = objective_gradient(self.model, images, goal, margin)
        missing = (self.confidence + rounding(logits) - goal.margin(logits)).clamp_min(0)
        return missing.to(images.dtype), torch.where(_column(missing > 0), -gradient, 0)


@final
class _Closest:
    """The success nearest to each clean image, which stands in until there is one."""

    def __init__(self, clean: Images) -> None:
        self.clean = clean
        self.images = clean.clone()
        self.lengths = clean.new_full((len(clean),), torch.inf)

    def offer(self, rows: Tensor, images: Images, success: Mask) -> Scores:
        """Takes the successes that are nearer than what is held for their rows; returns squared lengths."""
        lengths = (images - self.clean[rows]).flatten(1).square().sum(dim=1)
        nearer = success & (lengths < self.lengths[rows])
        self.lengths[rows[nearer]] = lengths[nearer]
        self.images[rows[nearer]] = images[nearer]
        return lengths


@final
class _Descent:
    """Adam on the w of x' = 0.5 + 0.6 tanh(w), within the bounds that the pixel range and the box set it."""

    def __init__(
        self, objective: _Objective, rows: Tensor, clean: Images, slope: Images, threat: ThreatModel
    ) -> None:
        radius = threat.epsilon if threat.norm == "linf" else torch.inf
        self.objective = objective
        self.rows = rows
        self.clean = clean
        self.clean_slope = slope
        self.low = _variable((clean - radius).clamp_min(0))
        self.high = _variable((clean + radius).clamp_max(1))
        self.restart()

    def restart(self) -> None:
        """Goes back to the clean images."""
        self.images = self.clean
        self.slope = self.clean_slope
        self.variable = _variable(self.clean)
        self.mean = torch.zeros_like(self.clean)
        self.square = torch.zeros_like(self.clean)
        self.steps = 0

    def step(self, c: Scores, rate: Scores) -> Scores:
        """Steps by Adam (Kingma and Ba, 2015, algorithm 1) and projects; returns what is missing there."""
        decay, square_decay = MOMENTS
        by_tanh = REACH - (self.images - 0.5).square() / REACH
        gradient = (2 * (self.images - self.clean)).addcmul_(_column(c), self.slope).mul_(by_tanh)
        self.steps += 1
        self.mean.lerp_(gradient, 1 - decay)
        self.square.mul_(square_decay).addcmul_(gradient, gradient, value=1 - square_decay)
        scale = (self.square / (1 - square_decay**self.steps)).sqrt_().add_(STABLE)
        length = _column(rate) / (1 - decay**self.steps)
        self.variable.addcdiv_(self.mean * length, scale, value=-1).clamp_(self.low, self.high)
        self.images = (0.5 + REACH * self.variable.tanh()).clamp_(0, 1)
        missing, self.slope = self.objective(self.images, self.rows)
        return missing

    def multiplier(self) -> Scores:
        """The c at which distance and missing margin pull equally, over the pixels free to move."""
        outward = torch.where(self.slope > 0, self.variable <= self.low, self.variable >= self.high)
        free = torch.where(outward, 0, self.slope).flatten(1)
        return -2 * ((self.images - self.clean).flatten(1) * free).sum(dim=1) / free.square().sum(dim=1)


@final
class _Course:
    """How the search "multiplier" goes for each image."""

    def __init__(self, c: Scores, rate: Scores) -> None:
        self.c = c
        self.rate = rate
        self.best = torch.full_like(c, torch.inf)
        self.least = torch.zeros_like(c)
        self.idle = torch.zeros_like(c)
        self.outside = torch.zeros_like(c)
        self.tried = torch.zeros_like(c)
        self.found = torch.zeros_like(c, dtype=torch.bool)
        self.inside = self.found.clone()
        self.crossed = self.found.clone()
        self.steps = 0

    def judge(self, missing: Scores, lengths: Scores) -> None:
        """Notes crossings and progress: of the loss before the first success, of the distance after it."""
        inside = missing == 0
        loss = torch.where(self.found & ~inside, torch.inf, lengths + self.c * missing)
        progress = (loss < PROGRESS * self.best) | (inside & ~self.found)
        self.best = torch.where(progress, loss, self.best)
        self.idle = torch.where(progress, 0, self.idle + 1)
        self.crossed = inside != self.inside
        self.inside = inside
        self.outside = torch.where(inside, 0, self.outside + 1)
        self.found = self.found | inside
        self.steps += 1

    def adapt(self, multiplier: Scores) -> None:
        """Cuts the rate after a crossing; sets c where that led outside, doubles it where lost there."""
        self.rate = torch.where(self.crossed, CALMING * self.rate, self.rate)
        usable = self.crossed & ~self.inside & (multiplier > 0) & multiplier.isfinite()
        self.c = torch.where(usable, torch.maximum(EXCESS * multiplier, self.least), self.c)
        lost = self.found & (self.outside >= LOST)
        self.least = torch.where(lost, self.c, self.least)
        self.c = torch.where(lost, 2 * self.c, self.c)
        self.outside = torch.where(lost, 0, self.outside)
        self.idle = torch.where(lost, 0, self.idle)

    def finished(self, steps: int, search_steps: int) -> Mask:
        """Which images are done; the others try a larger c where this one led nowhere."""
        stalled = self.idle >= PATIENCE * steps
        failed = ~self.found & (stalled | torch.full_like(stalled, self.steps % steps == 0))
        self.c = torch.where(failed, GROWTH * self.c, self.c)
        self.best = torch.where(failed, torch.inf, self.best)
        self.idle = torch.where(failed, 0, self.idle)
        self.tried = self.tried + failed
        return (self.found & stalled) | (self.tried >= search_steps) | (self.steps >= steps * search_steps)


def _keep(state: _Descent | _Course, rows: Mask) -> None:
    """Leaves the tensors of `state` with these rows."""
    for name, value in vars(state).items():
        if isinstance(value, Tensor):
            setattr(state, name, value[rows])


def _variable(images: Images) -> Images:
    return ((images - 0.5) / REACH).atanh()


def _column(scores: Scores | Mask) -> Tensor:
    return scores[:, None, None, None]
