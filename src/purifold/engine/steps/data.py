"""The data of a step: named and hashed in its description, loaded once a process."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

from purifold.data.load import load
from purifold.data.split import DataSet, Split
from purifold.engine.step import Resources
from purifold.errors import InputError

PARTS = ("train", "validation", "test")


@final
@dataclass(frozen=True, kw_only=True)
class Data:
    """A data set by name and content.

    Args:
        name: As `purifold.data.load` takes it.
        hashes: Of the training, validation and test images; empty where there are none.
    """

    name: str
    hashes: tuple[str, str, str]

    @classmethod
    def named(cls, name: str, resources: Resources) -> "Data":
        """The data set as it lies on this machine."""
        return cls(name=name, hashes=_hashes(_loaded(name, resources)))

    def load(self, resources: Resources) -> DataSet:
        """The images on the device of the work; refuses others than those described."""
        found = _loaded(self.name, resources)
        if _hashes(found) != self.hashes:
            raise InputError(
                f"the images of {self.name} are not those this study was planned with; plan it again"
            )
        return found

    def part(self, name: str, resources: Resources, count: int | None = None) -> Split:
        """A part, or `Split.sample` of it."""
        part = self.load(resources).part(name)
        return part if count is None else part.sample(count)


@lru_cache(maxsize=4)
def _loaded(name: str, resources: Resources) -> DataSet:
    return load(name, resources.data_root).to(resources.device)


def _hashes(data: DataSet) -> tuple[str, str, str]:
    train, validation, test = (getattr(data, part) for part in PARTS)
    return tuple("" if part is None else part.hash for part in (train, validation, test))  # type: ignore[return-value]
