"""The step that shows how a class-conditional autoencoder sees one image under every class."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch

from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.gallery import pixels
from purifold.engine.steps.system import System
from purifold.evaluation.judge import predictions
from purifold.types import Images

BRANCHES = "branches.npz"
PROBED = 256
"""Images that are tried at most."""


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """An attacked image, and what was made of it and of all others.

    Args:
        image: As submitted, uint8 (height, width, channel).
        branches: Reconstructions under each class, uint8 (classes, height, width, channel).
        label: The true class.
        nearest: The class whose reconstruction is nearest.
        correct: Attacked images that the system gets right, by an attacker who does not know the purifier.
        known: The same by one who does.
        selected: Attacked images whose own class is nearest.
        clean: Clean images that the system gets right.
        images: How many were tried.
    """

    image: np.ndarray
    branches: np.ndarray
    label: int
    nearest: int
    correct: int
    known: int
    selected: int
    clean: int
    images: int


@final
@dataclass(frozen=True, kw_only=True)
class Branches(Step):
    """The first attacked image under every class, and how often the nearest one is right.

    Args:
        system: With a class search.
        craft: The attacked images, by an attacker who does not know the purifier.
        known: The same by one who does.
        seed: Of the search's sampling.
    """

    kind: ClassVar[str] = "branches"

    system: System
    craft: Craft
    known: Craft
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"branches of {self.system.autoencoders[0].label.removeprefix('train ')}"

    @torch.no_grad()
    def run(self, bench: Workbench) -> None:
        """Reconstructs and answers; see `Step.run`."""
        defended, autoencoder = self.system.build(bench), self.system.autoencoders[0].load(bench)
        split = self.system.data.part("test", bench.resources, self.craft.count).first(PROBED)
        labels, adversarial = split.labels.long(), self.craft.load(bench)[: len(split)]
        branches = autoencoder.candidates(adversarial)
        nearest = (branches - adversarial).square().flatten(2).mean(dim=2).argmin(dim=0)

        def right(images: Images) -> int:
            found = predictions(defended, images, draws=1, seed=self.seed)
            return int((found[:, 0] == labels.cpu()).sum())

        np.savez_compressed(
            bench.folder / BRANCHES,
            allow_pickle=False,
            image=pixels(adversarial[:1])[0],
            branches=pixels(branches[:, 0]),
            label=int(labels[0]),
            nearest=int(nearest[0]),
            correct=right(adversarial),
            known=right(self.known.load(bench)[: len(split)]),
            selected=int((nearest == labels).sum()),
            clean=right(split.images()),
            images=len(split),
        )


def read_branches(folder: Path) -> Seen:
    """What an artefact of `Branches` holds."""
    with np.load(folder / BRANCHES, allow_pickle=False) as arrays:
        counts = {name: int(arrays[name]) for name in arrays.files if arrays[name].ndim == 0}
        return Seen(image=arrays["image"], branches=arrays["branches"], **counts)
