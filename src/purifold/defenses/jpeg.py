"""JPEG: the real codec, libjpeg through Pillow. Wallace, 1992, "The JPEG still picture compression standard".

Small images cost more in calls than in coding, so a batch is stacked into one tall image and coded at once.
What comes out is bit for bit what coding each image alone gives: blocks are coded independently, and the few
things that would cross from one image to the next are taken care of where they arise.
"""

import io
import re
from collections.abc import Mapping
from typing import Any, ClassVar, final

import torch
from jaxtyping import UInt8
from torch import Tensor

from purifold.checks import check_images
from purifold.defenses.base import Defended, Purifier
from purifold.defenses.recipe import Parts, Recipe
from purifold.defenses.soft_jpeg import soft_jpeg
from purifold.errors import Failure, InputError
from purifold.types import Images, Model

GREY, COLOUR = 1, 3
BLOCK = 8
"""Side of the blocks that are coded, in pixels."""
UNIT = 16
"""Side of a colour image's coding units: four blocks of brightness, one of each halved colour plane."""
TALLEST = 65_496
"""Largest side that libjpeg takes, in whole blocks."""
MOST_UNITS = 65_535
"""Most coding units between two restarts that the format can say."""
FRAME, SCAN = 0xC0, 0xDA
"""Second bytes of the markers before an image's size and before its data."""
RESTART = re.compile(rb"\xff[\xd0-\xd7]")
"""Marks where the coder starts afresh; no other data holds these two bytes."""

Pixels = UInt8[Tensor, "batch height width channel"]


@final
class JPEG(Purifier):
    """Codes each image as JPEG and decodes it again.

    Pixels are rounded to the nearest byte. Colour is stored at half resolution in both directions (4:2:0),
    libjpeg's default, and grey images as they are.

    Args:
        quality: libjpeg's scale from 1, worst, to 100; 23 and 10 are `patch-vae`'s baselines.
    """

    name: ClassVar[str] = "jpeg"
    stochastic = False
    differentiable = False

    def __init__(self, *, quality: int = 23) -> None:
        super().__init__()
        if not 1 <= quality <= 100:  # noqa: PLR2004
            raise InputError(f"quality must lie in [1, 100], got {quality}")
        self.quality = quality

    def forward(self, images: Images) -> Images:
        """The decoded images, a multiple of 1/255; refuses other than 1 or 3 channels."""
        check_images(images)
        channels, height, width = images.shape[1:]
        if channels not in (GREY, COLOUR):
            raise InputError(f"images must have 1 or 3 channels for JPEG, got {channels}")
        if max(height, width) > TALLEST:
            raise InputError(f"images must be at most {TALLEST} pixels a side for JPEG, got {height}x{width}")
        if len(images) == 0:
            return images.clone()
        recode = _recode_grey if channels == GREY else _recode_colour
        found = torch.empty(images.shape, dtype=images.dtype, device=images.device)
        size = _per_file(channels, height, width)
        for strip, into in zip(images.detach().split(size), found.split(size), strict=True):
            into.copy_(recode(_bytes(strip), self.quality).permute(0, 3, 1, 2))
        return found.div_(255)

    def surrogate(self, images: Images) -> Images:
        """The images as they are: the straight-through gradient."""
        return images

    def stand_ins(self, classifier: Model) -> Mapping[str, Model]:
        """`soft`, which rounds smoothly: unlike the straight-through gradient it tells what JPEG removes."""
        return {"soft": lambda images: classifier(soft_jpeg(images, self.quality))}

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"quality={self.quality}"

    @classmethod
    def example(cls, channels: int, size: int) -> "JPEG":
        """The default quality."""
        return cls()


def _per_file(channels: int, height: int, width: int) -> int:
    """How many images one file holds."""
    # Halved colour planes cannot be lengthened from outside: such images are coded one at a time.
    alone = channels == COLOUR and (height % UNIT > 0 or _units(height, width) > MOST_UNITS)
    return 1 if alone else TALLEST // (height + -height % BLOCK)


def _units(height: int, width: int) -> int:
    return -(-height // UNIT) * -(-width // UNIT)


def _bytes(images: Images) -> Pixels:
    # Stacked plane by plane: a permuted copy of bytes takes more than twice as long.
    return torch.stack(images.mul(255).round_().byte().cpu().unbind(1), dim=3)


def _recode_grey(pixels: Pixels, quality: int) -> Pixels:
    """Images whose height fills no whole blocks are lengthened by their last row, as libjpeg does itself."""
    height = pixels.shape[1]
    padding = pixels[:, -1:].expand(-1, -height % BLOCK, -1, -1)
    stacked = torch.cat([pixels, padding], dim=1)
    return _pixels(_decode(_encode(stacked, quality), stacked.shape), stacked.shape)[:, :height]


def _recode_colour(pixels: Pixels, quality: int) -> Pixels:
    """Decoding blends colour across blocks, so a strip is cut into one file an image, decoded alone."""
    count, *sides, _ = pixels.shape
    if count == 1:
        return _pixels(_decode(_encode(pixels, quality), pixels.shape), pixels.shape)
    coded = _encode(pixels, quality, restart_marker_blocks=_units(*sides))
    decoded = (_decode(file, (1, *pixels.shape[1:])) for file in _cut(coded, count, sides[0]))
    return _pixels(b"".join(decoded), pixels.shape)


def _encode(strip: Pixels, quality: int, **options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    stacked = strip.flatten(0, 1).squeeze(2).numpy()
    Image.fromarray(stacked).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def _decode(file: bytes, shape: tuple[int, ...]) -> bytes:
    from PIL import Image

    count, height, width, channels = shape
    mode = "L" if channels == GREY else "RGB"
    # Straight to the decoder: opening the file would read its headers in Python, at twice the time.
    return Image.frombytes(mode, (width, count * height), file, "jpeg", mode, "").tobytes()


def _pixels(decoded: bytes, shape: tuple[int, ...]) -> Pixels:
    return torch.frombuffer(bytearray(decoded), dtype=torch.uint8).view(shape)


def _cut(coded: bytes, count: int, height: int) -> list[bytes]:
    """The files of each image of a strip that was coded with a restart after each."""
    # Segment by segment: the same bytes may stand in a table.
    frame, segment = 0, 2
    while coded[segment + 1] != SCAN:
        frame = segment if coded[segment + 1] == FRAME else frame
        segment = _following(coded, segment)
    start = _following(coded, segment)
    head = coded[: frame + 5] + height.to_bytes(2, "big") + coded[frame + 7 : start]
    parts = RESTART.split(coded[start:-2])
    if len(parts) != count:
        raise Failure(f"JPEG gave {len(parts)} parts for {count} images; Pillow 10.2 or newer is needed")
    return [head + part + coded[-2:] for part in parts]


def _following(coded: bytes, segment: int) -> int:
    return segment + 2 + int.from_bytes(coded[segment + 2 : segment + 4], "big")


def _assemble(parts: Parts, *, quality: int = 23) -> Defended:
    return Defended(parts.classifier, JPEG(quality=quality))


jpeg = Recipe(
    name="jpeg",
    summary="JPEG coding and decoding: the classical baseline",
    assemble=_assemble,
    differentiable=False,
    transparent=True,
    stand_ins=("soft",),
)
