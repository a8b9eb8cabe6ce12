"""What a data set says about itself; a concrete one is an object of a file of its own in this folder."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import final

from purifold.data.split import DataSet


@final
@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a study of a data set uses when the user says nothing.

    Args:
        classifier: Name of a network, as in `small-cnn`.
        autoencoder: Name of an encoder and decoder pair.
        latent: Latent size of the autoencoder.
        epsilons: L-infinity budgets, ascending; the last one breaks an undefended classifier.
        varied: Whether classifiers learn from mirrored and shifted images, of which they need more.
    """

    classifier: str
    autoencoder: str
    latent: int
    epsilons: tuple[float, ...]
    varied: bool = False


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A data set that can be loaded by its name.

    Args:
        name: As the user types it.
        summary: One line for lists and help texts.
        shape: (channel, height, width) of an image; None where copies of several sizes are in use.
        classes: How many classes there are.
        defaults: None where no network of ours is trained on it.
    """

    name: str
    summary: str
    shape: tuple[int, int, int] | None
    classes: int
    defaults: Defaults | None

    @abstractmethod
    def load(self, root: Path | None, label: str | None = None) -> DataSet:
        """The data set from the folder `root`/name, or without a root from where it is published.

        Args:
            root: Folder of data sets.
            label: Column to classify by, for a data set with several; None: the usual one.
        """
