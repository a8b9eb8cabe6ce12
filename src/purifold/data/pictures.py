"""One image file in and out, whatever its size: what cannot be kept is refused instead of converted."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from purifold.data.decode import decoding
from purifold.errors import InputError
from purifold.storage import write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

PLAIN = ("L", "RGB")
OPEN_AS = {"1": "L", "LA": "LA", "RGBA": "RGBA", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
"""Modes that lose nothing as another one."""
WRITTEN: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 1, "compress_type": 3},  # zlib's Z_RLE: the quickest that is small for photos
    "TIFF": {},
    "WEBP": {"lossless": True, "exact": True},
    "JPEG2000": {},
    "BMP": {},
    "PPM": {},
    "TGA": {},
    "JPEG": {"quality": 95},
}
"""Formats that hold what we have, and how each is written; of these JPEG alone loses something."""
NO_ALPHA = ("JPEG", "PPM", "BMP")
NO_DECODER = ("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF")
"""Formats that Pillow recognises and leaves to other programs."""
BYTE = 255


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """An upright image.

    Args:
        pixels: Grey or RGB.
        alpha: Opacity, where the file has any.
        kept: What goes from file to file: the colour profile and EXIF tags, the orientation left out.
    """

    pixels: UInt8[Tensor, "channel height width"]
    alpha: UInt8[Tensor, "height width"] | None = None
    kept: dict[str, bytes] = field(default_factory=dict)


def read_picture(path: Path) -> Picture:
    """The image of a file in any format that Pillow reads, turned as its EXIF orientation says.

    Raises:
        InputError: There is no such file, it has several frames, or its mode cannot be kept: CMYK and other
            colour spaces, more than 8 bits a channel.
        Failure: The file is damaged, or no image.
    """
    from PIL import Image, ImageOps

    if not path.is_file():
        raise InputError(f"there is no file {path}")
    with decoding(str(path)), Image.open(path, formats=_decoded()) as opened:
        _check_kind(opened, path)
        opened.load()
        image = ImageOps.exif_transpose(_plain(opened, path))
        exif = image.getexif()
        kept = {"icc_profile": image.info.get("icc_profile"), "exif": exif.tobytes() if exif else None}
    planes = torch.from_numpy(np.array(image)).view(image.height, image.width, -1).permute(2, 0, 1)
    has_alpha = image.mode in ("LA", "RGBA")
    return Picture(
        pixels=planes[:-1] if has_alpha else planes,
        alpha=planes[-1] if has_alpha else None,
        kept={name: value for name, value in kept.items() if value},
    )


def write_picture(picture: Picture, path: Path) -> None:
    """Writes the image whole or not at all, in the format of the path's ending.

    Raises:
        InputError: The format is not in `WRITTEN`, or cannot hold the image: its transparency, its size.
        Failure: The disk is full or cannot be written.
    """
    from PIL import Image

    kind = format_of(path)
    if picture.alpha is not None and kind in NO_ALPHA:
        raise InputError(f"{path} cannot hold the image's transparency; write a .png instead")
    layers = [*picture.pixels.numpy(), *([] if picture.alpha is None else [picture.alpha.numpy()])]
    out = io.BytesIO()
    try:
        Image.fromarray(np.stack(layers, axis=-1) if len(layers) > 1 else layers[0]).save(
            out, kind, **WRITTEN[kind], **picture.kept
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot hold the image ({error}); write a .png instead") from error
    write_bytes(path, out.getvalue())


def format_of(path: Path) -> str:
    """Pillow's name of the format of a file to be written; refuses endings of others than `WRITTEN`."""
    from PIL import Image

    kind = Image.registered_extensions().get(path.suffix.lower(), "")
    if kind not in WRITTEN or kind not in Image.SAVE:
        raise InputError(f"{path} must end in .png, .tif, .webp, .jp2, .bmp, .ppm, .tga or .jpg")
    return kind


def readable(path: Path) -> bool:
    """Whether a file's ending is that of a format which Pillow decodes."""
    from PIL import Image

    return Image.registered_extensions().get(path.suffix.lower(), "") in _decoded()


def _decoded() -> list[str]:
    """Names of the formats that Pillow decodes itself."""
    from PIL import Image

    Image.init()
    return [kind for kind in Image.OPEN if kind not in NO_DECODER]


def _check_kind(image: "Image", path: Path) -> None:
    if getattr(image, "n_frames", 1) > 1:
        raise InputError(f"{path} has several frames; give each as a file of its own")
    # Pillow narrows colours of 16 bits without a word: only what it is about to decode says so.
    tiles = getattr(image, "tile", ())
    narrowed = any(";16" in str(tile) or (tile[0].startswith("ppm") and tile[3][-1] > BYTE) for tile in tiles)
    if image.mode[0] in "IF" or narrowed:
        raise InputError(f"{path} has more than 8 bits a channel; convert it to 8 bits")


def _plain(image: "Image", path: Path) -> "Image":
    """The image as L, RGB, LA or RGBA."""
    if image.mode == "P" or "transparency" in image.info:
        grey = image.mode in ("1", "L")
        if "transparency" in image.info:
            return image.convert("LA" if grey else "RGBA")
        return image.convert("RGB")
    if image.mode in PLAIN:
        return image
    if image.mode not in OPEN_AS:
        raise InputError(f"{path} has mode {image.mode}; convert it to RGB, with its colour profile applied")
    return image.convert(OPEN_AS[image.mode])
