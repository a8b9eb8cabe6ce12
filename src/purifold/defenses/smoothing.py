"""The small smoothing filter that `patch-vae` (section 6) puts behind its reconstructions, alone too.

Differs: the paper does not say what happens at the border; here images are mirrored there.
"""

from typing import ClassVar, Literal, TypeAlias, final

import torch
from jaxtyping import Float
from torch import Tensor

from purifold.defenses.base import Defended, Purifier
from purifold.defenses.filtering import filtered
from purifold.defenses.recipe import Parts, Recipe
from purifold.errors import InputError, unknown
from purifold.types import Images

Shape: TypeAlias = Literal["mean", "gaussian"]
SHAPES: tuple[Shape, ...] = ("mean", "gaussian")
SIZE = 5
"""Side of the paper's filter, in pixels."""


@final
class Smoothing(Purifier):
    """Convolves each channel with a small square kernel, mirrored at the border.

    Args:
        shape: "mean", as in the paper, weighs all pixels alike. "gaussian" has the standard deviation that
            OpenCV gives a kernel of this size, 0.3 ((size - 1) / 2 - 1) + 0.8: 1.1 pixels for 5.
        size: Side of the kernel in pixels, odd; 1 leaves the images as they are.
    """

    name: ClassVar[str] = "smoothing"
    stochastic = False
    differentiable = True

    def __init__(self, *, shape: Shape = "mean", size: int = SIZE) -> None:
        super().__init__()
        if shape not in SHAPES:
            raise unknown("shape of a smoothing filter", shape, SHAPES)
        if size < 1 or size % 2 == 0:
            raise InputError(f"size must be odd and 1 or above, got {size}")
        self.shape: Shape = shape
        self.size = size

    def forward(self, images: Images) -> Images:
        """The smoothed images; refuses images that are not larger than the kernel reaches."""
        height, width = images.shape[2:]
        if min(height, width) <= self.size // 2:
            raise InputError(
                f"a smoothing filter of size {self.size} reaches {self.size // 2} pixels and the images are "
                f"{height} by {width}; take a size of {2 * min(height, width) - 1} or below, or, behind "
                "patch-vae, smoothing=none"
            )
        return filtered(images, self.kernel(images))

    def kernel(self, images: Images) -> Float[Tensor, "taps"]:
        """The weights along one axis, of the images' type."""
        taps = torch.ones(self.size, dtype=images.dtype, device=images.device)
        if self.shape == "gaussian":
            sigma = 0.3 * ((self.size - 1) / 2 - 1) + 0.8
            offsets = taps.cumsum(0) - (self.size + 1) / 2
            taps = torch.exp(-0.5 * (offsets / sigma) ** 2)
        return taps / taps.sum()

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"shape={self.shape!r}, size={self.size}"

    @classmethod
    def example(cls, channels: int, size: int) -> "Smoothing":
        """The paper's filter."""
        return cls()


def _assemble(parts: Parts, *, shape: Shape = "mean", size: int = SIZE) -> Defended:
    return Defended(parts.classifier, Smoothing(shape=shape, size=size))


smoothing = Recipe(
    name="smoothing",
    summary="a 5x5 smoothing filter alone: what is left of patch-vae without its VAE",
    assemble=_assemble,
)
