"""The judge: predicts again, on the deployed path, what an attack claims to have fooled."""

from collections.abc import Mapping

import torch
from torch import Tensor

from purifold.attacks.base import BudgetError
from purifold.checks import check_at_least, check_evaluating, check_images
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.errors import InputError
from purifold.evaluation.outcome import Attacked, Outcome, Predictions
from purifold.evaluation.surface import Knowledge
from purifold.randomness import seeded
from purifold.threat import ThreatModel
from purifold.types import Images

LEVELS = 255
"""Steps of an 8-bit pixel."""
_APART = 0x6A75646765
"""Keeps the judge's draws apart from those an attack saw under the same seed."""


def judge(
    defended: Defended,
    split: Split,
    adversarial: Mapping[str, Images],
    threat: ThreatModel,
    knowledge: Knowledge,
    *,
    draws: int,
    seed: int,
    substitute: str = "",
    batch_size: int | None = None,
) -> Outcome:
    """What the deployed system makes of clean and adversarial images.

    Every image, clean, adversarial and rounded to 8 bits, is predicted over as many draws, none of which an
    attack has seen. Rounding may move a pixel by 1/510, beyond a budget that is no multiple of 1/255.

    Args:
        defended: In evaluation mode, on the device of `split`.
        split: The clean images.
        adversarial: By the attack's name, in the order of `split`.
        threat: The budget, verified again.
        knowledge: What the attacks used; kept in the outcome.
        draws: Predictions of each image.
        seed: Of the draws.
        substitute: The network that a `transfer` attacker had; kept in the outcome.
        batch_size: Images predicted at a time, None: `purifold.batches.at_once`; a GPU with room for more
            goes on with more.

    Raises:
        BudgetError: Adversarial images outside the threat model.
    """
    check_evaluating(defended, "defended")
    check_at_least(draws, 1, "draws")
    images = split.images()
    for name, found in adversarial.items():
        check_budget(name, found, images, threat)

    def predicted(submitted: Images) -> Predictions:
        return predictions(defended, submitted, draws=draws, seed=seed, batch_size=batch_size)

    attacked = {
        name: Attacked(predicted(found), predicted(to_8_bits(found)), *_distances(found, images))
        for name, found in adversarial.items()
    }
    labels = split.labels.long().cpu()
    return Outcome(threat, knowledge, split.hash, labels, predicted(images), attacked, substitute)


def predictions(
    defended: Defended, images: Images, *, draws: int, seed: int, batch_size: int | None = None
) -> Predictions:
    """Predictions as deployed, (images, draws), on the CPU; each draw has its own seed."""
    generator = torch.Generator().manual_seed(seed ^ _APART)
    drawn = []
    for draw in torch.randint(2**62, (draws,), generator=generator).tolist():
        with seeded(draw):
            drawn.append(defended.predict(images, batch_size=batch_size).long().cpu())
    return torch.stack(drawn, dim=1)


def to_8_bits(images: Images) -> Images:
    """The images as a file of bytes would bring them back."""
    return images.mul(LEVELS).round().div(LEVELS)


def check_budget(name: str, adversarial: Tensor, images: Tensor, threat: ThreatModel) -> None:
    """Refuses images beyond the budget or the pixel range, or of another shape; `name` made them."""
    check_images(adversarial, f"the images of {name}")
    if adversarial.shape != images.shape:
        got, wanted = tuple(adversarial.shape), tuple(images.shape)
        raise InputError(f"the images of {name} must have the clean images' shape {wanted}, got {got}")
    outside = ~threat.contains(adversarial, images)
    if outside.any():
        raise BudgetError(f"{name} left {threat} on {int(outside.sum())} of {len(images)} images")


def _distances(adversarial: Images, images: Images) -> tuple[Tensor, Tensor, Tensor]:
    """L2, L-infinity, and L2 over the clean image's length (infinite for a changed black image)."""
    l2 = ThreatModel("l2", 0.0).distance(adversarial, images)
    linf = ThreatModel("linf", 0.0).distance(adversarial, images)
    length = torch.linalg.vector_norm(images.flatten(1), dim=1)
    relative = torch.where(l2 == 0, 0, l2 / length)
    return l2.cpu(), linf.cpu(), relative.cpu()
