"""JPEG that can be differentiated, for an attacker: its rounding gives way to a smooth function near it.

Shin and Song, 2017, "JPEG-resistant adversarial images", section 3: coefficients are rounded to
r(x) = [x] + (x - [x])^3, whose slope tells which of them survive. Differs: of libjpeg's other steps, colours
are rounded nowhere, and halved colour planes are widened as libjpeg's "fancy" widening does it.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from purifold.types import Images

BLOCK, GREY = 8, 1
BRIGHTNESS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""ITU-T T.81, table K.1."""
COLOUR = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * BLOCK for _ in range(4)),
)
"""ITU-T T.81, table K.2."""
TO_PLANES = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""RGB to brightness and two colour differences: JFIF 1.02, page 3."""
FROM_PLANES = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
Rounding = Callable[[Tensor], Tensor]


def soft_round(values: Tensor) -> Tensor:
    """The nearest whole number and the cube of the distance from it."""
    whole = values.detach().round()
    return whole + (values - whole) ** 3


def soft_jpeg(images: Images, quality: int, rounding: Rounding = soft_round) -> Images:
    """What JPEG makes of images, but for its rounding.

    Args:
        images: In [0, 1], of 1 or 3 channels; colours at half resolution, as libjpeg has it.
        quality: libjpeg's scale from 1 to 100.
        rounding: Of the quantised coefficients.
    """
    levels = 255 * images - 128
    if images.shape[1] == GREY:
        return _in_range((_coded(levels, BRIGHTNESS, quality, rounding) + 128) / 255)
    planes = _mixed(levels, TO_PLANES)
    brightness = _coded(planes[:, :1], BRIGHTNESS, quality, rounding)
    height, width = images.shape[2:]
    halved = F.avg_pool2d(_lengthened(planes[:, 1:], 2 * BLOCK), 2)
    kept = _coded(halved, COLOUR, quality, rounding)[:, :, : (height + 1) // 2, : (width + 1) // 2]
    colour = _widened(kept)[:, :, :height, :width]
    mixed = _mixed(torch.cat([brightness, colour], dim=1), FROM_PLANES)
    return _in_range((mixed + 128) / 255)


def steps(table: tuple[tuple[int, ...], ...], quality: int) -> Tensor:
    """The quantisation steps of a quality, by libjpeg's scaling of the standard's table."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality  # noqa: PLR2004
    return torch.tensor(table).mul(scale).add(50).div(100, rounding_mode="floor").clamp(1, 255)


def _mixed(planes: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    weights = torch.tensor(matrix, dtype=planes.dtype, device=planes.device)
    return torch.einsum("ij,bjhw->bihw", weights, planes)


def _coded(planes: Tensor, table: tuple[tuple[int, ...], ...], quality: int, rounding: Rounding) -> Tensor:
    """Planes quantised block by block."""
    height, width = planes.shape[2:]
    whole = _lengthened(planes, BLOCK)
    blocks = whole.unflatten(3, (-1, BLOCK)).unflatten(2, (-1, BLOCK)).transpose(3, 4)
    basis = _cosines(planes)
    size = steps(table, quality).to(planes.device, planes.dtype)
    kept = rounding(basis @ blocks @ basis.T / size) * size
    restored = (basis.T @ kept @ basis).transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return restored[:, :, :height, :width]


def _cosines(like: Tensor) -> Tensor:
    """The orthonormal cosine transform of a block's rows: (frequency, place)."""
    places = torch.arange(BLOCK, dtype=like.dtype, device=like.device)
    waves = torch.cos(math.pi / BLOCK * (places + 0.5) * places[:, None]) * math.sqrt(2 / BLOCK)
    return torch.cat([waves[:1] / math.sqrt(2), waves[1:]])


def _lengthened(planes: Tensor, multiple: int) -> Tensor:
    """Planes with their last row and column repeated up to a multiple."""
    height, width = planes.shape[2:]
    return F.pad(planes, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def _widened(planes: Tensor) -> Tensor:
    """Planes at twice the size, each new pixel three quarters of the nearest and a quarter of the next."""
    return F.interpolate(planes, scale_factor=2, mode="bilinear", align_corners=False)


def _in_range(images: Images) -> Images:
    """The same images, put back into [0, 1] where rounding has moved them out of it; the gradient stays."""
    images.detach().clamp_(0, 1)
    return images
