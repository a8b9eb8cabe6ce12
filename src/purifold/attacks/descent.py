"""Descent on a penalty of the attacker's own making, from any image; what has succeeded is kept.

Ghosh, Losalka and Black, 2019 (`gm-vae`), equations 10 and 11.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import torch

from purifold.attacks.gradient import input_gradient
from purifold.checks import check_at_least, check_images
from purifold.errors import InputError
from purifold.types import Images, Mask, Scores

Penalty: TypeAlias = Callable[[Images], Scores]
"""What the attacker wants small, one an image; differentiable."""
MOMENTS = (0.9, 0.999)
STABLE = 1e-8


@final
@dataclass(frozen=True, kw_only=True)
class Descent:
    """Adam on the pixels, kept in [0, 1].

    Args:
        steps: Forward and backward passes; a descent is not stopped before.
        rate: Adam's, in pixel values.
        nearness: Weight of the squared L2 distance to the start; 0 lets images go anywhere.
    """

    steps: int = 200
    rate: float = 0.02
    nearness: float = 1.0

    def __post_init__(self) -> None:
        check_at_least(self.steps, 1, "steps")
        check_at_least(self.nearness, 0, "nearness")
        if not 0 < self.rate < 1:
            raise InputError(f"rate must lie in (0, 1), got {self.rate}")

    def __call__(
        self, penalty: Penalty, reached: Callable[[Images], Mask], start: Images
    ) -> tuple[Images, Mask]:
        """Of each image the success nearest to its start, or the last iterate where there was none.

        Args:
            penalty: Of images in the order of `start`.
            reached: Which of them are successes; asked at every iterate, also the first and the last.
            start: (batch, channel, height, width) in [0, 1].

        Returns:
            The images, and which of them are successes.
        """
        check_images(start, "start")
        images, mean, square = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
        nearest, least = start.clone(), start.new_full((len(start),), torch.inf)
        for step in range(1, self.steps + 1):
            nearest, least = _kept(nearest, least, images, reached(images), start)
            gradient = self._slope(penalty, images, start)
            mean = mean.lerp(gradient, 1 - MOMENTS[0])
            square = MOMENTS[1] * square + (1 - MOMENTS[1]) * gradient.square()
            scale = (square / (1 - MOMENTS[1] ** step)).sqrt() + STABLE
            images = (images - self.rate / (1 - MOMENTS[0] ** step) * mean / scale).clamp(0, 1)
        nearest, least = _kept(nearest, least, images, reached(images), start)
        found = least.isfinite()
        return torch.where(found[:, None, None, None], nearest, images), found

    def _slope(self, penalty: Penalty, images: Images, start: Images) -> Images:
        with torch.enable_grad():
            images = images.detach().requires_grad_()
            slope = input_gradient(penalty(images), images)
        return slope + 2 * self.nearness * (images.detach() - start)


def _kept(
    nearest: Images, least: Scores, images: Images, success: Mask, start: Images
) -> tuple[Images, Scores]:
    lengths = (images - start).flatten(1).square().sum(dim=1)
    nearer = success & (lengths < least)
    return torch.where(nearer[:, None, None, None], images, nearest), torch.where(nearer, lengths, least)
