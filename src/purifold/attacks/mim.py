"""MIM: I-FGSM along an accumulated gradient, which carries it past poor local maxima and transfers better.

Dong et al., 2018, arXiv:1710.06081, algorithm 1.
"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from purifold.attacks.base import Attack, Goal
from purifold.attacks.gradient import objective_gradient, reach, steepest, unit
from purifold.checks import check_at_least
from purifold.losses import cross_entropy
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Model


@final
@dataclass(frozen=True, kw_only=True)
class MIM(Attack):
    """Momentum iterative method; the last iterate returns.

    Args:
        steps: T; each step is epsilon / T long.
        decay: Of the accumulated gradient at each step; 0 is I-FGSM, 1 sums all gradients alike.
    """

    name: ClassVar[str] = "mim"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True

    steps: int = 10
    decay: float = 1.0

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")
        check_at_least(self.decay, 0, "decay")

    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The images after all steps; equations 6 and 7, for L2 equation 8."""
        length = reach(threat, images) / self.steps
        adversarial, momentum = images, torch.zeros_like(images)
        for _ in range(self.steps):
            gradient, _ = objective_gradient(model, adversarial, goal, cross_entropy)
            momentum = self.decay * momentum + unit(gradient, 1.0)
            adversarial = threat.project(adversarial + length * steepest(momentum, threat.norm), images)
        return adversarial
