"""FGSM: one step of the whole budget along the sign of the gradient.

Goodfellow et al., 2015, arXiv:1412.6572, section 4.
"""

from dataclasses import dataclass
from typing import ClassVar, final

from purifold.attacks.base import Attack, Goal
from purifold.attacks.gradient import objective_gradient, reach, steepest
from purifold.losses import cross_entropy
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Model


@final
@dataclass(frozen=True, kw_only=True)
class FGSM(Attack):
    """Fast gradient (sign) method.

    Differs: in L2 the step follows the gradient scaled to length epsilon (the steepest ascent of that
    norm); targeted, it descends the target's loss (Kurakin et al., 2017, arXiv:1611.01236, section 2.3).
    """

    name: ClassVar[str] = "fgsm"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True

    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The images one step of length epsilon away."""
        gradient, _ = objective_gradient(model, images, goal, cross_entropy)
        return threat.project(images + reach(threat, images) * steepest(gradient, threat.norm), images)
