"""Any folder of class folders, or one with train/ and test/ of class folders and perhaps validation/.

The names of the class folders, in alphabetical order, are the classes. Files are listed here and not by
`datasets`' `imagefolder`, which takes a class folder called test-tubes for a test part, and leaves labels
out where it finds one class.
"""

from dataclasses import replace
from pathlib import Path

import torch

from purifold.data.decode import decode
from purifold.data.divide import check_alike, divide
from purifold.data.holdout import holdout
from purifold.data.split import DataSet, Split
from purifold.errors import Failure, InputError

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm")
PARTS = ("train", "validation", "test")
TEST_SHARE = 5
"""One image in so many is a test image, where the folder does not say which are."""


def load_folder(folder: Path) -> DataSet:
    """Images of a folder, which must be of one size and mode.

    Without train/ and test/ a fixed stratified fifth is the test part. Without validation/ it is a tenth of
    the training images, as for other data sets.
    """
    name = folder.resolve().name
    inside = _folders(folder)
    if not {"train", "test"} <= set(inside):
        _check_flat(folder, inside)
        train, test = _cut(_part(f"{name}/train", folder, inside))
        return DataSet(name, *divide(train), test)
    strange = [other for other in inside if other not in PARTS]
    if strange:
        raise InputError(
            f"{folder} has train, test and {', '.join(strange)}; only validation may stand beside them"
        )
    classes = _folders(folder / "train")
    parts = {part: _part(f"{name}/{part}", folder / part, classes) for part in inside}
    if "validation" not in parts:
        parts["train"], parts["validation"] = divide(parts["train"])
    for part in parts.values():
        check_alike(part, parts["test"])
    return DataSet(name, parts["train"], parts["validation"], parts["test"])


def _check_flat(folder: Path, inside: list[str]) -> None:
    for part in PARTS:
        if part in inside and _folders(folder / part):
            other = "test" if part == "train" else "train"
            raise InputError(
                f"{folder} has {part} without {other}; both must be there, or class folders alone"
            )


def _cut(whole: Split) -> tuple[Split, Split]:
    kept, held = holdout(whole.labels, len(whole) // TEST_SHARE)
    if not len(held):
        raise InputError(f"{whole.name} has {len(whole)} images, too few to hold a fifth out as test images")
    return whole.select(kept), replace(whole.select(held), name=whole.name.removesuffix("/train") + "/test")


def _part(name: str, folder: Path, classes: list[str]) -> Split:
    """Images in the order of their classes, then of their file names."""
    strange = sorted(set(_folders(folder)) - set(classes))
    if strange:
        raise InputError(f"{folder} has class folders that train lacks: {', '.join(strange)}")
    files = [(path, label) for label, kind in enumerate(classes) for path in _files(folder / kind)]
    if not files:
        wanted = "folders of images, one a class, or train and test with such folders"
        raise InputError(f"{folder} holds no class folders with images; it must hold {wanted}")
    pixels = decode(((str(path), _content(path)) for path, _ in files), len(files))
    return Split(name, pixels, torch.tensor([label for _, label in files]), tuple(classes))


def _folders(folder: Path) -> list[str]:
    return sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )


def _files(folder: Path) -> list[Path]:
    """The images of a class; anything else but hidden files is refused."""
    entries = sorted(entry for entry in folder.glob("[!.]*")) if folder.is_dir() else []
    for entry in entries:
        if entry.suffix.lower() not in SUFFIXES or not entry.is_file():
            raise InputError(f"{entry} is no image file ({' '.join(SUFFIXES)}); move it away")
    return entries


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror})") from error
