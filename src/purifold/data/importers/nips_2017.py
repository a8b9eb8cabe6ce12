"""Development images of the NIPS 2017 competition: images/*.png and images.csv, as Kaggle hands them out.

The competition counts 1,001 classes, the background first; labels here are ImageNet's 1,000 from 0.
"""

from pathlib import Path

from purifold.data.decode import picture
from purifold.data.importers.base import Importer, Rows
from purifold.data.importers.files import content, records, whole
from purifold.errors import InputError

CLASSES = 1000


def read(archive: Path) -> dict[str, Rows]:
    """The test part; `target` is the class for targeted attacks, `image_id` the file's name without .png."""
    rows: Rows = {"image": [], "label": [], "target": [], "image_id": []}
    for place, record in records(archive / "images.csv", ("ImageId", "TrueLabel", "TargetClass")):
        path = archive / "images" / f"{record['ImageId']}.png"
        picture(image := content(path), str(path))
        rows["image"].append(image)
        rows["label"].append(_label(record["TrueLabel"], place))
        rows["target"].append(_label(record["TargetClass"], place))
        rows["image_id"].append(record["ImageId"])
    if not rows["label"]:
        raise InputError(f"{archive / 'images.csv'} lists no images")
    return {"test": rows}


def _label(text: str, place: str) -> int:
    """From the competition's class, 1 to 1,000 without the background."""
    label = whole(text, place)
    if not 1 <= label <= CLASSES:
        raise InputError(f"{place} must hold a class from 1 to {CLASSES}, got {label}")
    return label - 1


NIPS_2017 = Importer(
    name="nips-2017",
    layout="images.csv and images/*.png",
    classes=tuple(str(label) for label in range(1, CLASSES + 1)),
    read=read,
)
