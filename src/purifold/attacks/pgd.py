"""PGD: gradient ascent from random starts inside the budget; every iterate is judged, the best one returns.

Madry et al., 2018, arXiv:1706.06083, section 2.1.
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
from purifold.errors import InputError
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Model


@final
@dataclass(frozen=True, kw_only=True)
class PGD(Attack):
    """Projected gradient descent: `steps` forward and backward passes a start, one forward pass at the end.

    Differs: Madry et al. return the last iterate; here it is the one with the largest margin, so that more
    steps or restarts never make an attack weaker.

    Args:
        steps: Steps from each start.
        restarts: Starts, each at another random point.
        step: Length of a step as a share of epsilon; None is 2.5 / steps, which can cross the ball and come
            back (Madry's public challenge: https://github.com/MadryLab/mnist_challenge).
        random_start: Uniform in the ball; else at the clean image.
        loss: Ascended; "margin" keeps a gradient where a confident model's cross-entropy has rounded to 0.
        confidence: An image leaves the batch when its margin exceeds this. 0 stops at the first success,
            which is fastest and enough against the very model that will be judged; inf goes on to the last
            step, for examples that must survive a transfer, an unknown purifier, or fresh random draws.
    """

    name: ClassVar[str] = "pgd"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True

    steps: int = 40
    restarts: int = 1
    step: float | None = None
    random_start: bool = True
    loss: LossName = "cross-entropy"
    confidence: float = math.inf

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")
        check_at_least(self.confidence, 0, "confidence")
        if self.step is not None and not 0 < self.step < math.inf:
            raise InputError(f"step must be a share of epsilon above 0, got {self.step}")
        check_climb(self.restarts, self.random_start, self.loss)

    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The iterates with the largest margin over all restarts."""
        best = Best(images, goal)
        for _ in range(self.restarts):
            starts = somewhere(images, threat, noise) if self.random_start else images
            rows = best.within(self.confidence).nonzero().squeeze(1)
            self._climb(model, starts[rows], rows, threat, best)
        return best.images

    def _climb(self, model: Model, climbing: Images, rows: Tensor, threat: ThreatModel, best: Best) -> None:
        """Ascends on the images of these rows, fewer as they finish; `best` takes what is met on the way."""
        clean, goal = best.clean[rows], best.goal.select(rows)
        length = reach(threat, best.clean) * (2.5 / self.steps if self.step is None else self.step)
        for _ in range(self.steps):
            if not len(rows):
                return
            gradient, logits = objective_gradient(model, climbing, goal, LOSSES[self.loss])
            best.offer(rows, climbing, logits)
            climbing = threat.project(climbing + length * steepest(gradient, threat.norm), clean)
            going = best.within(self.confidence)[rows]
            if not going.all():
                rows, climbing, clean, goal = rows[going], climbing[going], clean[going], goal.select(going)
        if len(rows):
            with torch.no_grad():
                best.offer(rows, climbing, model(climbing))
