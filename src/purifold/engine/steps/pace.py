"""The step that times a system while it answers: how many attacked images it gets right, and how fast."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from purifold.defenses.base import REJECTED
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System
from purifold.engine.steps.timing import timed
from purifold.evaluation.judge import check_budget
from purifold.randomness import seeded

PACE = "pace.json"
CLEAN = ""


@final
@dataclass(frozen=True)
class Paced:
    """What a system made of images.

    Args:
        images: How many of each attack.
        seconds: Median for all of them at once.
        correct: By attack, "" for clean images; an attacked image that is turned away counts as one of them,
            a clean one does not.
    """

    images: int
    seconds: float
    correct: Mapping[str, int]


@final
@dataclass(frozen=True, kw_only=True)
class Pace(Step):
    """Answers and seconds on the machine that makes the artefact; each image is submitted once.

    Args:
        system: That answers.
        count: How many test images; see `Split.sample`.
        crafts: Attacked images of `count`.
        seed: Of a stochastic system.
    """

    kind: ClassVar[str] = "pace"
    gpus: ClassVar[float] = 1.0

    system: System
    count: int
    crafts: tuple[Craft, ...]
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"pace of {self.system.defense} on {self.count} images, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Answers once an attack, after a first answer to one image; see `Step.run`."""
        defended = self.system.build(bench)
        split = self.system.data.part("test", bench.resources, self.count)
        images, labels = split.images(), split.labels.long()
        submitted = {CLEAN: images} | {craft.attack.label: craft.load(bench) for craft in self.crafts}
        for craft in self.crafts:
            check_budget(craft.attack.label, submitted[craft.attack.label], images, craft.threat)
        defended.predict(images[:1])
        seconds, correct = [], {}
        for name, found in submitted.items():
            with seeded(self.seed):
                predicted, taken = timed(defended.predict, found)
            seconds.append(taken)
            held = (predicted == labels) | ((predicted == REJECTED) & (name != CLEAN))
            correct[name] = int(held.sum())
        paced = {"images": len(images), "seconds": statistics.median(seconds), "correct": correct}
        (bench.folder / PACE).write_text(json.dumps(paced))


def read_pace(folder: Path) -> Paced:
    """What an artefact of `Pace` holds."""
    return Paced(**json.loads((folder / PACE).read_text()))
