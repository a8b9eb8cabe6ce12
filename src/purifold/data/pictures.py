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
SAVING: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 1},  # the quickest: what the next levels save costs more than the purifier
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 95},
}
"""How each format is written; others as Pillow does."""
NO_ALPHA = ("JPEG", "PPM", "BMP")


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
    with decoding(str(path)), Image.open(path) as opened:
        _check_kind(opened, path)
        opened.load()
        image = ImageOps.exif_transpose(_plain(opened, path))
        kept = {"icc_profile": image.info.get("icc_profile"), "exif": image.getexif().tobytes()}
    planes = torch.from_numpy(np.array(image)).view(image.height, image.width, -1).permute(2, 0, 1)
    has_alpha = image.mode in ("LA", "RGBA")
    return Picture(
        pixels=planes[:-1] if has_alpha else planes,
        alpha=planes[-1] if has_alpha else None,
        kept={name: value for name, value in kept.items() if value},
    )


def write_picture(picture: Picture, path: Path) -> None:
    """Writes the image whole or not at all, in the format of the path's ending; PNG, WebP lossless."""
    from PIL import Image

    layers = [picture.pixels] if picture.alpha is None else [picture.pixels, picture.alpha[None]]
    array = torch.cat(layers).permute(1, 2, 0).contiguous().numpy()
    kind = format_of(path)
    if picture.alpha is not None and kind in NO_ALPHA:
        raise InputError(f"{path} cannot hold the image's transparency; write a .png instead")
    out = io.BytesIO()
    Image.fromarray(array.squeeze(2) if array.shape[2] == 1 else array).save(
        out, kind, **SAVING.get(kind, {}), **picture.kept
    )
    write_bytes(path, out.getvalue())


def format_of(path: Path) -> str:
    """Pillow's name of the format of a file to be written; refuses endings that it cannot write."""
    from PIL import Image

    kind = Image.registered_extensions().get(path.suffix.lower(), "")
    if kind not in Image.SAVE:
        raise InputError(f"{path} must end in .png or the ending of another format that Pillow writes")
    return kind


def readable(path: Path) -> bool:
    """Whether a file's ending is that of a format which Pillow reads."""
    from PIL import Image

    return Image.registered_extensions().get(path.suffix.lower(), "") in Image.OPEN


def _check_kind(image: "Image", path: Path) -> None:
    if getattr(image, "n_frames", 1) > 1:
        raise InputError(f"{path} has several frames; give each as a file of its own")
    # Pillow narrows colours of 16 bits without a word: only what it is about to decode says so.
    if image.mode[0] in "IF" or any(";16" in str(tile) for tile in getattr(image, "tile", ())):
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
