"""What every attack is: a frozen configuration that turns clean images into adversarial ones."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from purifold.checks import check_evaluating, check_images, check_labels
from purifold.errors import Failure, InputError
from purifold.losses import Loss, margin
from purifold.randomness import ImageNoise, seeded
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Labels, Logits, Mask, Model, Scores


class BudgetError(Failure):
    """An attack returned images outside its threat model: a defect of the attack."""


@final
@dataclass(frozen=True)
class Goal:
    """What the attacker wants of each image: any class but its label, or exactly its target."""

    labels: Labels
    targets: Labels | None = None

    def objective(self, logits: Logits, loss: Loss) -> Scores:
        """The loss to ascend: away from the label, or towards the target."""
        return loss(logits, self.labels) if self.targets is None else -loss(logits, self.targets)

    def margin(self, logits: Logits) -> Scores:
        """Logit margin of success: above 0 when reached, and by how much."""
        return self.objective(logits, margin)

    def reached(self, logits: Logits) -> Mask:
        """Whether the prediction is what the attacker wants."""
        predicted = logits.argmax(dim=1)
        return predicted != self.labels if self.targets is None else predicted == self.targets

    def select(self, rows: Tensor) -> "Goal":
        """The goal for these images alone."""
        return Goal(self.labels[rows], None if self.targets is None else self.targets[rows])


class Attack(ABC):
    """Maps clean images to images of the threat model that a model misclassifies.

    A concrete attack is a frozen, keyword-only dataclass whose fields are its whole configuration. It
    implements `perturb`; the base checks what comes in, bounds the batch, and verifies the budget.
    """

    name: ClassVar[str]
    norms: ClassVar[tuple[Norm, ...]]
    targetable: ClassVar[bool]
    needs_gradients: ClassVar[bool] = True

    @final
    def __call__(
        self,
        model: Model,
        images: Images,
        labels: Labels,
        threat: ThreatModel,
        targets: Labels | None = None,
        *,
        seed: int = 0,
        batch_size: int = 256,
    ) -> Images:
        """Adversarial images, in the order of `images`.

        Args:
            model: Images to logits, on the device of `images`.
            images: (batch, channel, height, width) in [0, 1].
            labels: True classes.
            threat: The budget, which the result is checked against.
            targets: Classes the attacker wants instead; without them any wrong class will do.
            seed: Of the attack's own noise and of a stochastic model; the caller's generators are not
                advanced. An image's noise does not depend on its batch.
            batch_size: Images attacked at a time: bounds memory, never changes a result.
        """
        self._check(model, images, labels, threat, targets)
        adversarial = torch.empty_like(images)
        for start in range(0, len(images), batch_size):
            rows = slice(start, start + batch_size)
            goal = Goal(labels[rows], None if targets is None else targets[rows])
            noise = ImageNoise.of(images[rows], seed)
            with seeded(seed), torch.enable_grad():
                batch = self.perturb(model, images[rows].detach(), goal, threat, noise)
            adversarial[rows] = batch.detach()
        self._verify(adversarial, images, threat)
        return adversarial

    @abstractmethod
    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """Adversarial images of one batch; all of the attack's randomness comes from `noise`."""

    def _check(
        self, model: Model, images: Images, labels: Labels, threat: ThreatModel, targets: Labels | None
    ) -> None:
        check_images(images)
        if isinstance(model, nn.Module):
            check_evaluating(model, "model")
        if threat.norm not in self.norms:
            raise InputError(f"{self.name} works in {' and '.join(self.norms)}, got norm {threat.norm!r}")
        check_labels(labels, len(images))
        if targets is None:
            return
        if not self.targetable:
            raise InputError(f"{self.name} has no targeted form; leave targets out")
        check_labels(targets, len(images), name="targets")

    def _verify(self, adversarial: Images, images: Images, threat: ThreatModel) -> None:
        outside = ~threat.contains(adversarial, images)
        if outside.any():
            raise BudgetError(f"{self} left {threat} on {int(outside.sum())} of {len(images)} images")


class MinimumNormAttack(Attack):
    """Searches the closest image that reaches the goal; where it misses the budget, the clean one returns."""

    @abstractmethod
    def minimize(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The closest images found that reach the goal; the clean image where none was found."""

    @final
    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The closest images where they keep the budget, else the clean ones."""
        closest = self.minimize(model, images, goal, threat, noise)
        return torch.where(threat.contains(closest, images)[:, None, None, None], closest, images)
