"""COIL-100: https://www.cs.columbia.edu/CAVE/software/softlib/coil-100.php, obj1__0.png ... obj100__355.png.

There is no official division. Views at 0, 10, 20, ... degrees are the training part, those at 5, 15, 25, ...
the test part: every test view lies between two training views 10 degrees apart. Pixels are kept as they are.
"""

import re
from pathlib import Path

from purifold.data.decode import picture
from purifold.data.importers.base import Importer, Rows
from purifold.data.importers.files import content
from purifold.errors import InputError

OBJECTS = 100
STEP = 5
TRAIN_STEP = 10


def read(archive: Path) -> dict[str, Rows]:
    """Both parts, ordered by object and angle, with a column `angle` in degrees.

    Objects and angles may be missing; each part needs some.
    """
    folder = next(
        (place for place in (archive, archive / "coil-100") if any(place.glob("obj*__*.png"))), None
    )
    if folder is None:
        raise InputError(f"{archive} has no files like obj1__0.png")
    views = sorted((*_view(path), path) for path in folder.glob("obj*__*.png"))
    parts: dict[str, Rows] = {part: {"image": [], "label": [], "angle": []} for part in ("train", "test")}
    for number, angle, path in views:
        rows = parts["test" if angle % TRAIN_STEP else "train"]
        picture(image := content(path), str(path))
        rows["image"].append(image)
        rows["label"].append(number - 1)
        rows["angle"].append(angle)
    empty = [part for part, rows in parts.items() if not rows["label"]]
    if empty:
        raise InputError(
            f"{folder} has no views for the {' and '.join(empty)} part; are all 72 angles there?"
        )
    return parts


def _view(path: Path) -> tuple[int, int]:
    """Object from 1 and angle in degrees."""
    found = re.fullmatch(r"obj(\d+)__(\d+)\.png", path.name)
    number, angle = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= OBJECTS or angle not in range(0, 360, STEP):
        raise InputError(f"{path} is no view of objects 1 to {OBJECTS} at 0, 5, ..., 355 degrees")
    return number, angle


COIL_100 = Importer(
    name="coil-100",
    layout="obj1__0.png ... obj100__355.png",
    classes=tuple(f"obj{number}" for number in range(1, OBJECTS + 1)),
    read=read,
)
