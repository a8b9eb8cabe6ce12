"""A transposed convolution of stride 2 as an ordinary one: faster for small maps and few channels.

Shi et al., 2016, arXiv:1609.05158, section 3.1: each of the four places that an input pixel grows into reads
its own taps of the kernel; as four channels they are computed by one convolution, and then shuffled.
"""

from collections.abc import Mapping
from typing import cast, final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from purifold.errors import InputError

TAPS: Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    5: ((4, 2, 0), (5, 3, 1)),
    7: ((5, 3, 1, 7), (6, 4, 2, 0)),
}
"""By kernel size the taps that even and odd places read, from left to right; one beyond the kernel is 0."""


@final
class Doubling(nn.Module):
    """Answers as the transposed convolution that it holds.

    Worth it on a CPU where few channels come out, and in bfloat16, for which torch has no fast transposed
    convolution; not for many channels in float32.

    Args:
        transposed: With a square kernel of 5 or 7, stride 2, and half of the kernel as padding.
    """

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        super().__init__()
        kernel = transposed.kernel_size[0]
        half = (kernel // 2, kernel // 2)
        known = kernel in TAPS and transposed.kernel_size == (kernel, kernel)
        if not known or transposed.stride != (2, 2) or transposed.padding != half:
            raise InputError(
                f"a transposed convolution must have kernel 5 or 7, stride 2 and half the kernel as padding, "
                f"got {transposed}"
            )
        self.transposed = transposed

    def forward(self, maps: Float[Tensor, "batch before rows columns"]) -> Tensor:
        """Maps of twice the size, or one less where the transposed convolution has no output padding."""
        weight, bias = self.transposed.weight, cast(Tensor, self.transposed.bias)
        taps = torch.tensor(TAPS[len(weight[0, 0])], device=weight.device)
        read = F.pad(weight, (0, 1, 0, 1))[:, :, taps][..., taps]
        kernel = read.permute(1, 2, 4, 0, 3, 5).flatten(0, 2)
        around = taps.shape[1] - 2
        more = around - 1  # above and to the left nothing beyond one place is read
        places = F.conv2d(maps, kernel, bias.repeat_interleave(4), padding=around)[..., more:, more:]
        height, width = (
            2 * side - 1 + extra
            for side, extra in zip(maps.shape[2:], self.transposed.output_padding, strict=True)
        )
        return F.pixel_shuffle(places, 2)[..., :height, :width]


def doubled(layers: nn.Sequential) -> nn.Sequential:
    """The same layers, with `Doubling` around every transposed convolution."""
    return nn.Sequential(
        *(Doubling(layer) if isinstance(layer, nn.ConvTranspose2d) else layer for layer in layers)
    )
