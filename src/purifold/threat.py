"""Threat models: the set of images an attacker may submit in place of a clean one."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from purifold.errors import InputError, unknown
from purifold.types import Images, Mask, Scores

Norm = Literal["l2", "linf"]
ORDER = {"l2": 2.0, "linf": math.inf}
ROUNDING = 1e-6
"""Slack for float32 arithmetic, relative to epsilon where that exceeds 1."""


@dataclass(frozen=True)
class ThreatModel:
    """Images within `epsilon` of the clean image in `norm`, and inside [0, 1].

    Args:
        norm: The norm of the perturbation, over all channels and pixels of one image.
        epsilon: The budget on the [0, 1] pixel scale (8/255, not 8); `math.inf` leaves it unbounded.
    """

    norm: Norm
    epsilon: float

    def __post_init__(self) -> None:
        if self.norm not in get_args(Norm):
            raise unknown("norm", str(self.norm), get_args(Norm))
        if not self.epsilon >= 0:
            raise InputError(f"epsilon must be 0 or above, got {self.epsilon}")
        if self.norm == "linf" and 1 < self.epsilon < math.inf:
            raise InputError(
                f"epsilon must be at most 1 for linf, got {self.epsilon:g}; "
                f"for {self.epsilon:g} of 255 grey levels write {self.epsilon / 255:.4g}"
            )

    def __str__(self) -> str:
        return f"{self.norm} {self.epsilon:g}"

    def distance(self, adversarial: Images, images: Images) -> Scores:
        """Norm of each image's perturbation."""
        return torch.linalg.vector_norm((adversarial - images).flatten(1), ord=ORDER[self.norm], dim=1)

    def contains(self, adversarial: Images, images: Images) -> Mask:
        """Which images keep the budget and the pixel range; NaN keeps neither."""
        inside = ((adversarial >= 0) & (adversarial <= 1)).flatten(1).all(dim=1)
        return inside & (
            self.distance(adversarial, images) <= self.epsilon + ROUNDING * max(1.0, self.epsilon)
        )

    def within(self, adversarial: Images, images: Images) -> Images:
        """The adversarial images that keep the budget, and the clean ones in place of the others."""
        return torch.where(self.contains(adversarial, images)[:, None, None, None], adversarial, images)

    def project(self, adversarial: Images, images: Images) -> Images:
        """Nearest images (in the norm, then in the pixel range) that keep the budget."""
        if math.isinf(self.epsilon):
            return adversarial.clamp(0, 1)
        if self.norm == "linf":
            return torch.clamp(adversarial, images - self.epsilon, images + self.epsilon).clamp(0, 1)
        perturbation = adversarial - images
        length = self.distance(adversarial, images).clamp_min(torch.finfo(images.dtype).tiny)
        shrink = (self.epsilon / length).clamp_max(1)
        return (images + perturbation * shrink[:, None, None, None]).clamp(0, 1)
