"""A validation part for a data set that has none, and a check that parts belong together."""

from dataclasses import replace

from torch import Tensor

from purifold.data.decode import describe
from purifold.data.holdout import holdout
from purifold.data.split import Split
from purifold.errors import InputError

HELD_SHARE = 10
"""One training image in so many is held out for validation ..."""
HELD_MOST = 5000
"""... but no more than this."""


def divide(train: Split, groups: Tensor | None = None) -> tuple[Split, Split]:
    """Training and validation images out of an official training part."""
    kept, held = holdout(train.labels, min(len(train) // HELD_SHARE, HELD_MOST), groups)
    if not len(held):
        raise InputError(f"{train.name} has {len(train)} images, too few to hold a tenth out for validation")
    name = train.name.removesuffix("/train") + "/validation"
    return train.select(kept), replace(train.select(held), name=name)


def check_alike(part: Split, test: Split) -> None:
    """Refuses a part with other classes or another image size than the test part."""
    if part.classes != test.classes:
        raise InputError(f"{part.name} and {test.name} name their classes differently")
    if part.shape != test.shape:
        raise InputError(f"{part.name} is {describe(part.shape)}, {test.name} {describe(test.shape)}")
