"""Image files' bytes to one uint8 tensor. Nothing is converted: another mode or size is an error."""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from purifold.errors import Failure, InputError

if TYPE_CHECKING:
    from PIL.Image import Image

Prepare: TypeAlias = Callable[["Image", str], "Image"]
"""Crops or resizes an image as its data set is used; the text names the image in errors."""

FORMATS = ("PNG", "WEBP", "JPEG", "BMP", "PPM")
MODES = ("L", "RGB")


def decode(
    cells: Iterable[tuple[str, bytes]], count: int, prepare: Prepare | None = None
) -> UInt8[Tensor, "batch channel height width"]:
    """Pixels of `count` images, which must be of one size and mode.

    Args:
        cells: What an error calls the image ("image 3 of FILE"), and the content of its file.
        count: How many cells there are.
        prepare: Applied to every image.
    """
    pixels = np.empty(0, dtype=np.uint8)
    for row, (place, content) in enumerate(cells):
        image = picture(content, place)
        array = _planes(image if prepare is None else prepare(image, place))
        if row == 0:
            pixels = np.empty((count, *array.shape), dtype=np.uint8)
        if array.shape != pixels.shape[1:]:
            wanted, got = describe(pixels.shape[1:]), describe(array.shape)
            raise InputError(f"{place} is {got}, those before it {wanted}; all must have one size and mode")
        pixels[row] = array
    return torch.from_numpy(pixels)


def picture(content: bytes, place: str) -> "Image":
    """A decoded greyscale or RGB image; damaged content is a `Failure`, another mode an `InputError`."""
    from PIL import Image

    with decoding(place):
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        image.load()
    if image.mode not in MODES:
        raise InputError(
            f"{place} has mode {image.mode}; convert it to greyscale (L) or RGB, 8 bits a channel"
        )
    return image


@contextmanager
def decoding(place: str) -> Iterator[None]:
    """Turns what Pillow raises into a line that names the image: a `Failure` for damaged content."""
    from PIL import Image

    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{place} is larger than Pillow decodes ({_reason(error)}); cut it up") from error
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise Failure(f"{place} is damaged ({_reason(error)}); fetch the file again") from error


def _reason(error: Exception) -> str:
    return re.sub(r"\s*<_io[^>]*>", "", str(error).partition("\n")[0]) or type(error).__name__


def describe(shape: Iterable[int]) -> str:
    """A (channel, height, width) shape as in "RGB 32x48"."""
    channels, height, width = shape
    return f"{'RGB' if channels == len('RGB') else 'greyscale'} {height}x{width} (height x width)"


def _planes(image: "Image") -> np.ndarray:
    array = np.frombuffer(image.tobytes(), dtype=np.uint8)
    return array.reshape(image.height, image.width, -1).transpose(2, 0, 1)
