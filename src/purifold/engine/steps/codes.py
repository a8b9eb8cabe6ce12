"""The steps that look into latent spaces: where images lie in them, and where an attack moves them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch

from purifold.autoencoders.base import Autoencoder
from purifold.batches import at_once, in_batches
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.training import Training
from purifold.evaluation.latent import ACTIVE, diameter, latent_variance, shift
from purifold.types import Images, Latent

CODES, SHIFT = "codes.json", "shift.npz"
BATCH = 256


@final
@dataclass(frozen=True, kw_only=True)
class Codes(Step):
    """The codes of all test images: the diameter of their set, and the variance of each unit.

    Args:
        autoencoder: Whose.
    """

    kind: ClassVar[str] = "codes"

    autoencoder: Training[Autoencoder]

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"codes of {self.autoencoder.label.removeprefix('train ')}"

    def run(self, bench: Workbench) -> None:
        """Encodes the test images; see `Step.run`."""
        codes = encoded(
            self.autoencoder.load(bench), self.autoencoder.data.part("test", bench.resources).images()
        )
        variances = latent_variance(lambda rows: rows, codes.split(BATCH))
        found = {"images": len(codes), "diameter": diameter(codes), "variances": variances.tolist()}
        (bench.folder / CODES).write_text(json.dumps(found))


@final
@dataclass(frozen=True, kw_only=True)
class Shift(Step):
    """Cosine and ratio of lengths between the codes of clean and attacked images.

    Args:
        autoencoder: Whose codes.
        craft: The attacked images.
    """

    kind: ClassVar[str] = "shift"

    autoencoder: Training[Autoencoder]
    craft: Craft

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"shift of codes by {self.craft.label}"

    def run(self, bench: Workbench) -> None:
        """Encodes clean and attacked images; see `Step.run`."""
        clean = self.autoencoder.data.part("test", bench.resources, self.craft.count).images()
        autoencoder = self.autoencoder.load(bench)
        cosine, ratio = shift(encoded(autoencoder, clean), encoded(autoencoder, self.craft.load(bench)))
        arrays = {"cosine": cosine.cpu().numpy(), "ratio": ratio.cpu().numpy()}
        np.savez_compressed(bench.folder / SHIFT, allow_pickle=False, **arrays)


@torch.no_grad()
def encoded(autoencoder: Autoencoder, images: Images) -> Latent:
    """The code of each image, or its posterior's mean."""
    return in_batches(autoencoder.encode, images, at_once(images))


@final
@dataclass(frozen=True, kw_only=True)
class Extent:
    """What `Codes` found.

    Args:
        images: How many were encoded.
        diameter: Largest distance between two codes.
        variances: Of each latent unit over the images.
    """

    images: int
    diameter: float
    variances: tuple[float, ...]

    @property
    def active(self) -> int:
        """Units whose variance exceeds 0.01."""
        return sum(variance > ACTIVE for variance in self.variances)


def read_extent(folder: Path) -> Extent:
    """What an artefact of `Codes` holds."""
    found = json.loads((folder / CODES).read_text())
    return Extent(images=found["images"], diameter=found["diameter"], variances=tuple(found["variances"]))


def read_shift(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and ratios of lengths in an artefact of `Shift`, one an image."""
    with np.load(folder / SHIFT, allow_pickle=False) as arrays:
        return arrays["cosine"], arrays["ratio"]
