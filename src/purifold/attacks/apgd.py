"""Auto-PGD: ascent with momentum, whose steps halve, image by image, where they no longer help.

Croce and Hein, 2020, arXiv:2003.01690, section 3 and algorithm 1.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from purifold.attacks.ascent import LOSSES, Best, LossName, check_climb, somewhere
from purifold.attacks.base import Attack, Goal
from purifold.attacks.gradient import objective_gradient, reach, steepest
from purifold.checks import check_at_least
from purifold.losses import Loss
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Mask, Model

FIRST_STEP = 2.0
"""Length of the first steps, in epsilons."""
AHEAD = 0.75
"""Weight of the new step beside the last move."""
RISES = 0.75
"""Share of the steps between two checks that must raise the loss, or the step is halved."""
FIRST_CHECK, SHRINKING, SHORTEST = 0.22, 0.03, 0.06
"""Of the checks, as shares of all steps: the first one, by how much each wait is shorter, the shortest."""
ROUNDING = 1e-9


@final
@dataclass(frozen=True, kw_only=True)
class AutoPGD(Attack):
    """As PGD, with no step length to choose: it starts at 2 epsilon and halves up to eight times.

    Short last steps matter where an image must look clean as well: behind detectors of reconstruction errors,
    steps of one length leave noise of that length in every pixel, which gives the image away.

    Differs: what returns is the iterate of the largest margin, not of the largest loss; after a return to
    the best point momentum starts anew.

    Args:
        steps: Forward and backward passes a start, with one forward pass at the end.
        restarts: Starts, each at another random point.
        random_start: Uniform in the ball; else at the clean image.
        loss: Ascended; "margin" keeps a gradient where a confident model's cross-entropy has rounded to 0.
        confidence: As of `purifold.attacks.pgd.PGD`.
    """

    name: ClassVar[str] = "apgd"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True

    steps: int = 100
    restarts: int = 1
    random_start: bool = True
    loss: LossName = "cross-entropy"
    confidence: float = math.inf

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")
        check_at_least(self.confidence, 0, "confidence")
        check_climb(self.restarts, self.random_start, self.loss)

    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The iterates with the largest margin over all restarts."""
        best, checks = Best(images, goal), checkpoints(self.steps)
        for _ in range(self.restarts):
            starts = somewhere(images, threat, noise) if self.random_start else images
            rows = best.within(self.confidence).nonzero().squeeze(1)
            if len(rows):
                climb = _Climb(
                    model=model,
                    starts=starts[rows],
                    rows=rows,
                    best=best,
                    threat=threat,
                    loss=LOSSES[self.loss],
                )
                self._climb(climb, checks)
        return best.images

    def _climb(self, climb: "_Climb", checks: tuple[int, ...]) -> None:
        last = 0
        for step in range(self.steps):
            climb.look()
            if step in checks:
                climb.shorten(step - last)
                last = step
            climb.keep(climb.best.within(self.confidence)[climb.rows])
            if not len(climb.rows):
                return
            climb.move(AHEAD if step else 1.0)
        with torch.no_grad():
            climb.best.offer(climb.rows, climb.here, climb.model(climb.here))


def checkpoints(steps: int) -> tuple[int, ...]:
    """After which of the steps their length is judged: ever more often."""
    shares = [0.0, FIRST_CHECK]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - SHRINKING, SHORTEST))
    return tuple(math.ceil(share * steps - ROUNDING) for share in shares[1:] if share < 1)


class _Climb:
    """Where the images of a batch are, how they came there, and the best point that each has met."""

    def __init__(
        self, *, model: Model, starts: Images, rows: Tensor, best: Best, threat: ThreatModel, loss: Loss
    ) -> None:
        self.model, self.best, self.threat, self.loss = model, best, threat, loss
        self.rows, self.clean = rows, best.clean[rows]
        self.here = self.before = self.peak = starts
        self.slope = self.peak_slope = torch.zeros_like(starts)
        self.value = self.peak_value = starts.new_full((len(rows),), -math.inf)
        self.length = starts.new_full((len(rows), 1, 1, 1), FIRST_STEP * reach(threat, starts))
        self.rises = torch.zeros_like(rows)
        self.checked_value, self.shortened = self.value, torch.ones_like(rows, dtype=torch.bool)

    def look(self) -> None:
        """One forward and backward pass where the images are."""
        goal = self.best.goal.select(self.rows)
        self.slope, logits = objective_gradient(self.model, self.here, goal, self.loss)
        self.best.offer(self.rows, self.here, logits)
        value = goal.objective(logits, self.loss).to(self.value.dtype)
        self.rises = self.rises + ((value > self.value) & self.value.isfinite())
        higher = value > self.peak_value
        self.value, self.peak_value = value, torch.where(higher, value, self.peak_value)
        self.peak = torch.where(_wide(higher), self.here, self.peak)
        self.peak_slope = torch.where(_wide(higher), self.slope, self.peak_slope)

    def shorten(self, steps: int) -> None:
        """Halves steps that led nowhere, and returns to the best point; `steps` were made since the last."""
        slow = self.rises < RISES * steps
        stuck = ~self.shortened & (self.peak_value <= self.checked_value)
        self.shortened, self.checked_value = slow | stuck, self.peak_value
        self.rises = torch.zeros_like(self.rises)
        back = _wide(self.shortened)
        self.length = torch.where(back, self.length / 2, self.length)
        self.here = torch.where(back, self.peak, self.here)
        self.before = torch.where(back, self.peak, self.before)
        self.slope = torch.where(back, self.peak_slope, self.slope)
        self.value = torch.where(self.shortened, self.peak_value, self.value)

    def move(self, ahead: float) -> None:
        """A step along the slope, and on the way of the last one."""
        step = self.length * steepest(self.slope, self.threat.norm)
        along = self.threat.project(self.here + step, self.clean)
        moved = self.here + ahead * (along - self.here) + (1 - ahead) * (self.here - self.before)
        self.before, self.here = self.here, self.threat.project(moved, self.clean)

    def keep(self, rows: Mask) -> None:
        """Leaves the images of these rows."""
        if not rows.all():
            for name, value in vars(self).items():
                if isinstance(value, Tensor):
                    setattr(self, name, value[rows])


def _wide(mask: Mask) -> Tensor:
    return mask[:, None, None, None]
