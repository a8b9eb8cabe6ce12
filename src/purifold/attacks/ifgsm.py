"""I-FGSM: the budget in equal steps, each along the gradient where the last one ended.

Kurakin et al., 2017, arXiv:1607.02533, section 2.2, with the steps of `patch-vae`: M = 10 of epsilon / M.
"""

from dataclasses import dataclass
from typing import ClassVar, final

from purifold.attacks.base import Attack, Goal
from purifold.attacks.gradient import objective_gradient, reach, steepest
from purifold.checks import check_at_least
from purifold.losses import cross_entropy
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Model


@final
@dataclass(frozen=True, kw_only=True)
class IFGSM(Attack):
    """Iterated FGSM without a random start; the last iterate returns.

    Differs: Kurakin et al. take steps of 1/255 and min(4 + 255 epsilon, 1.25 * 255 epsilon) of them. In
    L2 the steps follow the gradient scaled to length epsilon / M.

    Args:
        steps: M; each step is epsilon / M long, so that together they can just reach the edge of the budget.
    """

    name: ClassVar[str] = "i-fgsm"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True

    steps: int = 10

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")

    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The images after all steps."""
        length = reach(threat, images) / self.steps
        adversarial = images
        for _ in range(self.steps):
            gradient, _ = objective_gradient(model, adversarial, goal, cross_entropy)
            adversarial = threat.project(adversarial + length * steepest(gradient, threat.norm), images)
        return adversarial
