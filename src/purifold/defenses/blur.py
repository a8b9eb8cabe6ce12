"""Gaussian blur: the trivial baseline that every learned purifier has to beat."""

import math
from typing import ClassVar, final

import torch
from torch import Tensor

from purifold.defenses.base import Defended, Purifier
from purifold.defenses.filtering import filtered
from purifold.defenses.recipe import Parts, Recipe
from purifold.errors import InputError
from purifold.types import Images

REACH = 4.0
"""Standard deviations that the kernel covers on each side; beyond lie 0.006 % of its weight."""


@final
class GaussianBlur(Purifier):
    """Convolves each channel with a Gaussian, mirrored at the border without repeating the edge pixel.

    Args:
        sigma: Standard deviation in pixels.
    """

    name: ClassVar[str] = "blur"
    stochastic = False
    differentiable = True

    def __init__(self, *, sigma: float = 1.0) -> None:
        super().__init__()
        if not 0 < sigma < math.inf:
            raise InputError(f"sigma must be above 0 and finite, got {sigma}")
        self.sigma = sigma
        self.radius = int(REACH * sigma + 0.5)

    def forward(self, images: Images) -> Images:
        """The blurred images; refuses images that are not larger than the kernel reaches."""
        height, width = images.shape[2:]
        if min(height, width) <= self.radius:
            raise InputError(
                f"sigma {self.sigma:g} reaches {self.radius} pixels and the images are {height} by {width}; "
                f"take a sigma below {(min(height, width) - 0.5) / REACH:g}"
            )
        return filtered(images, self._kernel(images))

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"sigma={self.sigma:g}"

    @classmethod
    def example(cls, channels: int, size: int) -> "GaussianBlur":
        """A blur that fits the size."""
        return cls(sigma=min(1.0, size / 10))

    def _kernel(self, images: Images) -> Tensor:
        offsets = torch.arange(-self.radius, self.radius + 1, dtype=images.dtype, device=images.device)
        return torch.softmax(-0.5 * (offsets / self.sigma) ** 2, dim=0)


def _assemble(parts: Parts, *, sigma: float = 1.0) -> Defended:
    return Defended(parts.classifier, GaussianBlur(sigma=sigma))


blur = Recipe(name="blur", summary="Gaussian blur: the trivial baseline", assemble=_assemble)
