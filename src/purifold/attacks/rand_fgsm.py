"""RAND+FGSM: a random step off the image, where the gradient may be masked, then FGSM with what is left.

Tramer et al., 2018, arXiv:1705.07204, section 3.4, equation 7.
"""

from dataclasses import dataclass
from typing import ClassVar, final

from purifold.attacks.base import Attack, Goal
from purifold.attacks.gradient import objective_gradient, reach, steepest
from purifold.errors import InputError
from purifold.losses import cross_entropy
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Model


@final
@dataclass(frozen=True, kw_only=True)
class RandFGSM(Attack):
    """FGSM of epsilon - alpha after a random step of length alpha.

    Differs: alpha is a share of epsilon, so that one configuration serves every budget (`puvae`'s 0.05 at
    epsilon 0.3 is 1/6, its 0.005 at 0.06 is 1/12); the image between the steps is kept in [0, 1], as
    the model must never see anything else. In L2 both steps have the length and the direction instead of
    the sign.

    Args:
        noise_share: alpha / epsilon, in [0, 1]; the paper takes 1/2.
    """

    name: ClassVar[str] = "rand-fgsm"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True

    noise_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.noise_share <= 1:
            raise InputError(f"noise_share must be a share of epsilon in [0, 1], got {self.noise_share}")

    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The images after both steps."""
        alpha = self.noise_share * reach(threat, images)
        direction = steepest(noise.normal(*images.shape[1:]).to(images.dtype), threat.norm)
        started = threat.project(images + alpha * direction, images)
        gradient, _ = objective_gradient(model, started, goal, cross_entropy)
        step = (reach(threat, images) - alpha) * steepest(gradient, threat.norm)
        return threat.project(started + step, images)
