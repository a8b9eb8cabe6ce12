"""Data sets by their name, or any folder of images by its path."""

from pathlib import Path

from purifold.data.base import Defaults, Source
from purifold.data.folder import load_folder
from purifold.data.split import DataSet
from purifold.discovery import instances
from purifold.errors import InputError, unknown

FOLDER = Defaults(
    classifier="ae-robustness", autoencoder="ae-robustness", latent=128, epsilons=(2 / 255, 4 / 255, 8 / 255)
)
"""For a data set that says nothing of its own: a folder of images."""


def sources() -> dict[str, Source]:
    """Every data set that has a name, in alphabetical order."""
    return dict(sorted(instances(Source).items()))  # type: ignore[type-abstract]


def load(name: str, root: str | Path | None = None) -> DataSet:
    """A data set in memory, divided into training, validation and test images.

    Args:
        name: One of `sources()`; `celeba:Male` takes the labels from the column "Male". Any other name is a
            folder of class folders, under `root` or by its path.
        root: Folder of data sets, which then are read from there alone; None: from the Hugging Face Hub,
            or from inside scikit-learn for the digits.
    """
    known = sources()
    base, _, label = name.partition(":")
    if base in known:
        return known[base].load(None if root is None else Path(root), label or None)
    places = [Path(name)] if root is None else [Path(root) / name, Path(name)]
    for place in places if name else []:
        if place.is_dir():
            return load_folder(place)
    if "/" in name:
        raise InputError(
            f"there is no folder {name}; give the path of a folder of class folders, or a data set"
        )
    raise unknown("data set", name, known)


def defaults(data: str) -> Defaults:
    """What a study of a data set uses when the user says nothing."""
    known = sources().get(data.partition(":")[0])
    return FOLDER if known is None or known.defaults is None else known.defaults
