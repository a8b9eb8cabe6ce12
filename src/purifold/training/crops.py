"""Random squares of images, cut out of the bytes when they are asked for."""

import torch
from torch import Tensor

from purifold.data.split import Split
from purifold.types import Images


def random_crops(split: Split, rows: Tensor, side: int) -> Images:
    """A square at a random place of each of these images, drawn from torch's generator; nothing is kept.

    An image that is smaller is lengthened by its last row and column.

    Args:
        split: The images.
        rows: Which of them, one an entry; an image may be asked for several times.
        side: Of the squares, in pixels.
    """
    height, width = split.shape[1:]
    down = _pixels(height, side, rows)[:, :, None]
    across = _pixels(width, side, rows)[:, None, :]
    bytes_ = split.pixels[rows[:, None, None], :, down, across]
    return bytes_.permute(0, 3, 1, 2).float().div_(255)


def _pixels(length: int, side: int, rows: Tensor) -> Tensor:
    """Places along an axis, (images, side)."""
    first = torch.randint(max(1, length - side + 1), (len(rows), 1))
    return (first + torch.arange(side)).clamp(max=length - 1).to(rows.device)
