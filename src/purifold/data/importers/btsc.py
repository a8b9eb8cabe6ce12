"""BelgiumTS for classification: https://btsd.ethz.ch/shareddata/, BelgiumTSC_Training and BelgiumTSC_Testing.

Each sign is cut to its box (Roi.X2 and Roi.Y2 exclusive) and resized to 32x32, bilinear.
"""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from purifold.data.decode import picture
from purifold.data.importers.base import Importer, Rows
from purifold.data.importers.files import content, records, whole
from purifold.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

CLASSES = tuple(f"{label:05d}" for label in range(62))
BOX = ("Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2")
SIZE = 32
PARTS = {"train": "Training", "test": "Testing"}


def read(archive: Path) -> dict[str, Rows]:
    """Both parts; column `sign` is the physical sign, which begins the file name."""
    return {part: _part(_folder(archive, kind)) for part, kind in PARTS.items()}


def _folder(archive: Path, kind: str) -> Path:
    official = f"BelgiumTSC_{kind}"
    for folder in (archive / official / kind, archive / official, archive / kind):
        if any(folder.glob("[0-9]" * 5)):
            return folder
    raise InputError(
        f"{archive} has no {official} with class folders 00000, 00001, ...; unpack both archives there"
    )


def _part(folder: Path) -> Rows:
    rows: Rows = {"image": [], "label": [], "sign": []}
    for kind in sorted(folder.glob("[0-9]" * 5)):
        if kind.name not in CLASSES:
            raise InputError(f"{kind} is none of the {len(CLASSES)} classes")
        for place, record in records(
            kind / f"GT-{kind.name}.csv", ("Filename", *BOX, "ClassId"), delimiter=";"
        ):
            rows["sign"].append(_number(record["Filename"], place))
            rows["label"].append(_label(kind, record, place))
            rows["image"].append(_sign(kind, record, place))
    if not rows["label"]:
        raise InputError(f"{folder} lists no images")
    return rows


def _label(kind: Path, record: dict[str, str], place: str) -> int:
    label = whole(record["ClassId"], place)
    if label != int(kind.name):
        raise InputError(f"{place} says class {label} in the folder of class {kind.name}")
    return label


def _number(filename: str, place: str) -> int:
    found = re.fullmatch(r"(\d+)_\d+\.ppm", filename)
    if found is None:
        raise InputError(f"{place} names {filename!r}; wanted SIGN_VIEW.ppm, as in 01153_00000.ppm")
    return int(found[1])


def _sign(kind: Path, record: dict[str, str], place: str) -> bytes:
    """PNG of the sign alone."""
    from PIL import Image

    path = kind / record["Filename"]
    image = picture(content(path), str(path))
    left, top, right, bottom = (whole(record[edge], place) for edge in BOX)
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        box = f"{left}, {top}, {right}, {bottom}"
        raise InputError(f"{place} has the box {box} in an image of {image.width} by {image.height}")
    cut = image.crop((left, top, right, bottom)).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return _png(cut)


def _png(image: "Image") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


BTSC = Importer(
    name="btsc",
    layout="BelgiumTSC_Training/ and BelgiumTSC_Testing/ with folders 00000 to 00061 of .ppm and GT-*.csv",
    classes=CLASSES,
    read=read,
)
