"""Classifiers whose weights somebody else trained and published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from torch import Tensor, nn

from purifold import discovery
from purifold.errors import InputError, unknown
from purifold.networks.base import Shape

FOLDER = "weights"
"""Under the folder of data sets: where files of weights lie."""


@final
@dataclass(frozen=True, kw_only=True)
class Published:
    """A classifier and where its weights come from; a concrete one is an object of its network's file.

    Args:
        name: As `--classifier` takes it.
        build: The untrained network for an image shape and a number of classes: images in [0, 1] to logits.
        read: A network's state dict out of the file of weights, or of a package that fetches them.
        file: Name of the file under `FOLDER`; None where a package has the weights.
        origin: What tells these weights from others, where no file does.
    """

    name: str
    build: Callable[[Shape, int], nn.Module]
    read: Callable[[nn.Module, Path | None], Mapping[str, Tensor]]
    file: str | None
    origin: str = ""

    def path(self, root: str | None) -> Path | None:
        """The file of weights under the folder of data sets; says where it must lie when it does not."""
        if self.file is None:
            return None
        place = f"DIR/{FOLDER}/{self.file}"
        if root is None:
            raise InputError(f"the weights of {self.name} are read from {place}; pass --data-root DIR")
        found = Path(root) / FOLDER / self.file
        if not found.is_file():
            raise InputError(f"there is no {found}; put the published weights of {self.name} in {place}")
        return found


def published(name: str) -> Published:
    """The published classifier of this name; refuses unknown ones with the nearest."""
    found = discovery.instances(Published)
    if name not in found:
        raise unknown("classifier with published weights", name, found)
    return found[name]
