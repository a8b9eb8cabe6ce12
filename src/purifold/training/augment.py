"""Random mirroring and shifting of training images."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from purifold.types import Images

MARGIN = 4


@dataclass(frozen=True)
class FlipCrop:
    """Mirrors and shifts; drawn for a whole epoch at once, so that neither batches nor devices change them.

    He et al., 2016, arXiv:1512.03385, section 4.2: 4 black pixels on each side, a crop of the old size.

    Args:
        corners: Upper left corner of each image's crop, (images, 2), in [0, 2 * MARGIN].
        mirrored: Which images are turned left to right, (images,).
    """

    corners: Tensor
    mirrored: Tensor

    @classmethod
    def draw(cls, count: int, generator: torch.Generator, device: torch.device) -> "FlipCrop":
        """One mirroring and one shift for each of `count` images."""
        corners = torch.randint(0, 2 * MARGIN + 1, (count, 2), generator=generator)
        mirrored = torch.rand(count, generator=generator) < 0.5  # noqa: PLR2004
        return cls(corners.to(device), mirrored.to(device))

    def __call__(self, images: Images, rows: Tensor) -> Images:
        """`images`, which are the images `rows` of the split, changed."""
        count, _, height, width = images.shape
        padded = F.pad(images, (MARGIN,) * 4)
        top, left = self.corners[rows, :, None].unbind(1)
        down = top + torch.arange(height, device=images.device)
        right = left + torch.arange(width, device=images.device)
        right = torch.where(self.mirrored[rows, None], right.flip(1), right)
        batch = torch.arange(count, device=images.device)[:, None, None]
        return padded[batch, :, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2).contiguous()
