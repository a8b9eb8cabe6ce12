"""A transposed 7x7 convolution of stride 2 as an ordinary one: faster for small maps and few channels.

Shi et al., 2016, arXiv:1609.05158, section 3.1: each of the four places that an input pixel grows into reads
its own taps of the kernel; as four channels they are computed by one convolution, and then shuffled.
"""

from typing import cast, final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

KERNEL, PADDING = 7, 3
TAPS = ((5, 3, 1, 7), (6, 4, 2, 0))
"""Taps of the kernel that even and odd places read, from left to right; tap 7 is 0."""


@final
class Doubling(nn.Module):
    """Equal to `nn.ConvTranspose2d` with kernel 7, stride 2 and padding 3; holds the same weights.

    Worth it on a CPU where few channels come out, and for small maps in bfloat16, for which torch has no fast
    transposed convolution; not for many channels in float32.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        size: Rows and columns of the output: twice those of the input, or one less.
    """

    def __init__(self, before: int, after: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.transposed = nn.ConvTranspose2d(before, after, KERNEL, stride=2, padding=PADDING)

    def forward(self, maps: Float[Tensor, "batch before rows columns"]) -> Tensor:
        """Maps of `size`."""
        weight, bias = self.transposed.weight, cast(Tensor, self.transposed.bias)
        taps = torch.tensor(TAPS, device=weight.device)
        read = F.pad(weight, (0, 1, 0, 1))[:, :, taps][..., taps]
        kernel = read.permute(1, 2, 4, 0, 3, 5).flatten(0, 2)
        places = F.conv2d(F.pad(maps, (1, 2, 1, 2)), kernel, bias.repeat_interleave(4))
        height, width = self.size
        return F.pixel_shuffle(places, 2)[..., :height, :width]
