"""What every attack is: a frozen configuration that turns clean images into adversarial ones."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from purifold.batches import at_once, in_batches
from purifold.checks import check_at_least, check_evaluating, check_images, check_labels
from purifold.errors import Failure, InputError
from purifold.losses import Loss, margin
from purifold.options import later
from purifold.randomness import ImageNoise, seeded
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Labels, Logits, Mask, Model, Scores

_APART = 0x5EED
"""Separates the draws of targets from the attack's own noise."""


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


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """Maps clean images to images of the threat model that a model misclassifies.

    A concrete attack is a frozen, keyword-only dataclass whose fields are its whole configuration. It
    implements `perturb`; the base checks what comes in, bounds the batch, and verifies the budget.

    Args:
        targeted: Where no targets are given, draws a wrong class for each image; else any other will do.
    """

    name: ClassVar[str]
    norms: ClassVar[tuple[Norm, ...]]
    targetable: ClassVar[bool]
    needs_gradients: ClassVar[bool] = True

    targeted: bool = later(False)

    @property
    def label(self) -> str:
        """What outcomes and progress lines call it."""
        return f"{self.name}-targeted" if self.targeted else self.name

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
        batch_size: int | None = None,
    ) -> Images:
        """Adversarial images, in the order of `images`.

        Args:
            model: Images to logits, on the device of `images`.
            images: (batch, channel, height, width) in [0, 1].
            labels: True classes.
            threat: The budget, which the result is checked against.
            targets: Classes the attacker wants instead; without them see `targeted`.
            seed: Of the attack's own noise and of a stochastic model; the caller's generators are not
                advanced. An image's noise does not depend on its batch.
            batch_size: Images attacked at a time, at most: bounds memory, and is halved where that is not
                enough; None: `purifold.batches.at_once`. Without draws of the model's own, the result is the
                same at any.
        """
        self._check(model, images, labels, threat, targets)
        size = at_once(images) if batch_size is None else batch_size
        check_at_least(size, 1, "batch_size")
        if self.targeted and targets is None:
            targets = _drawn(model, images, labels, seed)
        everything = Goal(labels.long(), None if targets is None else targets.long())
        checked = _checked(model, everything)

        def attacked(rows: Tensor) -> Images:
            clean = images[rows].detach()
            noise = ImageNoise.of(clean, seed)
            with seeded(seed), torch.enable_grad():
                batch = self.perturb(checked, clean, everything.select(rows), threat, noise).detach()
            self._verify(batch, clean, threat)
            return batch

        if not len(images):
            return torch.empty_like(images)
        rows = torch.arange(len(images), device=images.device)
        return in_batches(attacked, rows, size, grow=False)

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
        if not self.targetable and (self.targeted or targets is not None):
            raise InputError(f"{self.name} has no targeted form; leave targets and targeted out")
        if targets is not None:
            check_labels(targets, len(images), name="targets")

    def _verify(self, adversarial: Images, images: Images, threat: ThreatModel) -> None:
        outside = ~threat.contains(adversarial, images)
        if outside.any():
            raise BudgetError(f"{self} left {threat} on {int(outside.sum())} of {len(images)} images")


class MinimumNormAttack(Attack):
    """Searches the closest image that reaches the goal; where it misses the budget, the clean one returns."""

    boxed: ClassVar[tuple[Norm, ...]] = ()
    """Norms in which the budget shapes the search; in the others one search serves every budget."""

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
        return threat.within(closest, images)


@torch.no_grad()
def _drawn(model: Model, images: Images, labels: Labels, seed: int) -> Labels:
    """A wrong class for each image, all alike likely; it does not depend on the batch."""
    if not len(images):
        return labels
    with seeded(seed):
        classes = model(images[:1]).shape[1]
    drawn = ImageNoise.of(images, seed ^ _APART).integers(classes - 1)
    return drawn + (drawn >= labels)


def _checked(model: Model, goal: Goal) -> Model:
    """The model, whose first answer is checked: its shape, and that the labels are classes it knows."""
    fresh = True

    def answer(images: Tensor) -> Tensor:
        nonlocal fresh
        logits = model(images)
        if fresh:
            _check_logits(logits, len(images), goal)
            fresh = False
        return logits

    return answer


def _check_logits(logits: Tensor, count: int, goal: Goal) -> None:
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[0] != count:  # noqa: PLR2004
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise InputError(f"model must return logits of shape ({count}, classes), got {got}")
    if logits.isnan().any():
        raise InputError(
            "model must return finite logits, got NaN; its weights or its normalisation are damaged"
        )
    check_labels(goal.labels, len(goal.labels), classes=logits.shape[1])
    if goal.targets is not None:
        check_labels(goal.targets, len(goal.targets), classes=logits.shape[1], name="targets")
