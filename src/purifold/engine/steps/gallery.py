"""The step that shows: a few images as submitted and as purified, with what the system answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch

from purifold.defenses.base import Defended
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System
from purifold.evaluation.surface import Knowledge
from purifold.randomness import seeded
from purifold.threat import ThreatModel
from purifold.types import Images, Labels

GALLERY = "gallery.npz"
CLEAN = "clean"


@final
@dataclass(frozen=True, kw_only=True)
class Gallery(Step):
    """The first test images, clean and attacked, before and after purification.

    Args:
        system: Whose answers are shown.
        count: How many test images were attacked; see `Split.sample`.
        images: How many of these are shown.
        threat: The budget that is shown.
        crafts: One attack's images for each knowledge, at this budget or unbounded.
        knowledge: What each of `crafts` is filed under.
        seed: Of a stochastic purifier.
    """

    kind: ClassVar[str] = "gallery"

    system: System
    count: int
    images: int
    threat: ThreatModel
    crafts: tuple[Craft, ...]
    knowledge: tuple[Knowledge, ...]
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"gallery of {self.system.defense}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Purifies and predicts; see `Step.run`."""
        defended = self.system.build(bench)
        split = self.system.data.part("test", bench.resources, self.count).first(self.images)
        submitted = {CLEAN: split.images()}
        for knowledge, craft in zip(self.knowledge, self.crafts, strict=True):
            adversarial = craft.load(bench)[: len(split)]
            submitted[f"{craft.attack.label}, {knowledge}"] = self.threat.within(adversarial, split.images())
        arrays = {"labels": split.labels.cpu().numpy(), "classes": np.array(split.classes)}
        for name, images in submitted.items():
            purified, predicted = self._answer(defended, images)
            arrays[f"{name}.images"] = pixels(images)
            arrays[f"{name}.purified"] = pixels(purified)
            arrays[f"{name}.predicted"] = predicted.cpu().numpy()
        np.savez_compressed(bench.folder / GALLERY, allow_pickle=False, **arrays)

    def _answer(self, defended: Defended, images: Images) -> tuple[Images, Labels]:
        purifier = defended.purifier
        with seeded(self.seed), torch.no_grad():
            purified = images if purifier is None else purifier(images)
        with seeded(self.seed):
            return purified, defended.predict(images)


@final
@dataclass(frozen=True, eq=False)
class Shown:
    """Images of a gallery, uint8 (images, height, width, channel), and the predictions on them."""

    images: np.ndarray
    purified: np.ndarray
    predicted: np.ndarray


@final
@dataclass(frozen=True, eq=False)
class Pictures:
    """What a gallery's file holds: true labels, class names, and images by attack, "clean" first."""

    labels: np.ndarray
    classes: tuple[str, ...]
    shown: dict[str, Shown]


def read_gallery(path: Path) -> Pictures:
    """The pictures in a gallery's file."""
    with np.load(path, allow_pickle=False) as arrays:
        names = [name.removesuffix(".images") for name in arrays.files if name.endswith(".images")]
        shown = {
            name: Shown(*(arrays[f"{name}.{part}"] for part in ("images", "purified", "predicted")))
            for name in names
        }
        return Pictures(arrays["labels"], tuple(str(name) for name in arrays["classes"]), shown)


def pixels(images: Images) -> np.ndarray:
    """The images as uint8 (images, height, width, channel)."""
    return (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
