"""The step that ranks images by how strict a system's detectors must be to reject them."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch

from purifold.batches import at_once, in_batches
from purifold.defenses.base import Defended
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System
from purifold.evaluation.selection import (
    Ranked,
    held_out,
    ranked,
    strictness,
    submitted_best,
    suspicions,
)
from purifold.types import Images, Labels

CURVE = "selection.npz"


@final
@dataclass(frozen=True, kw_only=True)
class Selection(Step):
    """Risk against coverage on clean test images, or on attacked ones.

    Args:
        system: With detectors.
        count: How many test images; see `Split.sample`.
        crafts: Attacked images of `count`, of which an attacker submits those that serve best; none: the
            clean ones.
    """

    kind: ClassVar[str] = "selection"

    system: System
    count: int
    crafts: tuple[Craft, ...]

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        images = ", ".join(dict.fromkeys(craft.attack.label for craft in self.crafts)) or "clean images"
        return f"risk and coverage of {self.system.defense}, {images}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Scores and ranks; see `Step.run`."""
        defended = self.system.build(bench)
        data = self.system.data.load(bench.resources)
        split = data.part("test").sample(self.count)
        clean = suspicions(defended, held_out(data.validation).images())
        submitted = [craft.load(bench) for craft in self.crafts] or [split.images()]
        strict = torch.stack([strictness(suspicions(defended, images), clean) for images in submitted])
        answers = torch.stack([_answers(defended, images) for images in submitted])
        found = ranked(*submitted_best(strict, answers == split.labels))
        np.savez_compressed(
            bench.folder / CURVE,
            allow_pickle=False,
            coverage=found.coverage.cpu().numpy(),
            risk=found.risk.cpu().numpy(),
        )


def _answers(defended: Defended, images: Images) -> Labels:
    return in_batches(lambda batch: defended(batch).argmax(dim=1), images, at_once(images))


def read_selection(folder: Path) -> Ranked:
    """The curve in an artefact of `Selection`."""
    with np.load(folder / CURVE, allow_pickle=False) as arrays:
        return Ranked(torch.from_numpy(arrays["coverage"]), torch.from_numpy(arrays["risk"]))
