"""Resizing, a layer of classifiers that were trained at one size."""

from typing import final

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from purifold.types import Images


@final
class Resize(nn.Module):
    """Bilinear resizing to a square; images of that size stay as they are.

    Args:
        side: In pixels.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, images: Images) -> Float[Tensor, "batch channel side side"]:
        """The resized images; pixels are points, so that a smaller size samples instead of averaging."""
        if tuple(images.shape[2:]) == (self.side, self.side):
            return images
        return F.interpolate(images, (self.side, self.side), mode="bilinear", align_corners=False)

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"side={self.side}"
