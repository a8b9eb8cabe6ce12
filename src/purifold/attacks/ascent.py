"""What attacks share that climb a loss inside a ball: where they start, what they climb, what they keep."""

from typing import Literal

from torch import Tensor

from purifold.attacks.base import Goal
from purifold.attacks.gradient import reach, rounding, unit
from purifold.checks import check_at_least
from purifold.errors import InputError, unknown
from purifold.losses import cross_entropy, margin
from purifold.randomness import ImageNoise
from purifold.threat import ThreatModel
from purifold.types import Images, Logits, Mask

LossName = Literal["cross-entropy", "margin"]
LOSSES = {"cross-entropy": cross_entropy, "margin": margin}


def check_climb(restarts: int, random_start: bool, loss: str) -> None:
    """Refuses a loss that is none of `LOSSES`, and restarts that would all be the same."""
    check_at_least(restarts, 1, "restarts")
    if loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    if restarts > 1 and not random_start:
        raise InputError(f"restarts must be 1 without random_start, got {restarts}: all would be the same")


def somewhere(images: Images, threat: ThreatModel, noise: ImageNoise) -> Images:
    """A point for each image, uniform in its ball and clipped to the pixel range."""
    shape = images.shape[1:]
    if threat.norm == "linf":
        perturbation = noise.uniform(*shape).to(images.dtype).mul(2).sub(1)
    else:
        radius = noise.uniform(1, 1, 1).to(images.dtype) ** (1 / shape.numel())
        perturbation = radius * unit(noise.normal(*shape).to(images.dtype), threat.norm)
    return threat.project(images + reach(threat, images) * perturbation, images)


class Best:
    """The iterate of the largest margin so far, image by image.

    Args:
        clean: Of the batch, kept where nothing was offered.
        goal: Of the attacker.
    """

    def __init__(self, clean: Images, goal: Goal) -> None:
        self.clean = clean
        self.goal = goal
        self.images = clean.clone()
        self.margins = clean.new_full((len(clean),), -float("inf"))

    def offer(self, rows: Tensor, images: Images, logits: Logits) -> None:
        """Takes the images whose margin, less what rounding may undo, is larger than what is held."""
        margins = (self.goal.select(rows).margin(logits) - rounding(logits)).to(self.margins.dtype)
        better = margins > self.margins[rows]
        self.margins[rows[better]] = margins[better]
        self.images[rows[better]] = images[better]

    def within(self, confidence: float) -> Mask:
        """Which images are not finished."""
        return ~(self.margins > confidence)
