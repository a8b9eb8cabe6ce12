"""The digits that scikit-learn carries: the test part of Alpaydin and Kaynak, 1998, UCI "optdigits"."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch

from purifold.data.base import Defaults, Source
from purifold.data.holdout import holdout
from purifold.data.split import DataSet, Split
from purifold.errors import InputError

TEST = 497
VALIDATION = 200


@final
@dataclass(frozen=True, kw_only=True)
class Bundled(Source):
    """Inside scikit-learn: no download, no folder, whatever `root` is.

    Differs: there is no official division; a fixed stratified one gives 1,100 training, 200 validation and
    497 test images. The original 0..16 are stretched to 0..255.
    """

    def load(self, root: Path | None, label: str | None = None) -> DataSet:
        """See `Source.load`."""
        from sklearn.datasets import load_digits

        if label is not None:
            raise InputError(f"{self.name} has one kind of label; leave ':{label}' out")
        bunch = load_digits()
        pixels = torch.from_numpy(np.floor(bunch.images * 255 / 16 + 0.5).astype(np.uint8))[:, None]
        labels = torch.from_numpy(bunch.target.astype(np.int64))
        names = tuple(str(digit) for digit in bunch.target_names)
        rest, test = holdout(labels, TEST)
        train, validation = (rest[rows] for rows in holdout(labels[rest], VALIDATION))
        parts = {"train": train, "validation": validation, "test": test}
        return DataSet(
            self.name,
            **{
                part: Split(f"{self.name}/{part}", pixels[rows], labels[rows], names)
                for part, rows in parts.items()
            },
        )


DIGITS = Bundled(
    name="digits",
    summary="handwritten digits inside scikit-learn, 1,797 images, greyscale 8x8, nothing to download",
    shape=(1, 8, 8),
    classes=10,
    defaults=Defaults(
        classifier="small-cnn", autoencoder="ae-robustness", latent=16, epsilons=(0.05, 0.1, 0.2, 0.3)
    ),
)
