"""The step that submits test images once and keeps every answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch

from purifold.defenses.base import REJECTED
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.judge import check_budget
from purifold.randomness import seeded
from purifold.types import Labels

DECISIONS = "decisions.npz"


@final
@dataclass(frozen=True, eq=False)
class Decided:
    """Answers, and what would have been right.

    Args:
        labels: True classes.
        answers: Classes, `REJECTED` where an image was turned away.
    """

    labels: Labels
    answers: Labels

    @property
    def right(self) -> Proportion:
        """Accepted and right, of all images."""
        return Proportion.of(self.answers == self.labels)

    @property
    def wrong(self) -> Proportion:
        """Accepted and wrong, of all images."""
        return Proportion.of((self.answers != self.labels) & (self.answers != REJECTED))

    @property
    def rejected(self) -> Proportion:
        """Turned away, of all images."""
        return Proportion.of(self.answers == REJECTED)


@final
@dataclass(frozen=True, kw_only=True)
class Decisions(Step):
    """Answers of a system that draws nothing, or one draw of each.

    Args:
        system: That answers.
        count: How many test images; see `Split.sample`.
        craft: Attacked images of `count`; None: the clean ones.
        seed: Of a stochastic system.
    """

    kind: ClassVar[str] = "decisions"
    version: ClassVar[int] = 4

    system: System
    count: int
    craft: Craft | None
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        images = "clean images" if self.craft is None else f"{self.craft.attack.label} at {self.craft.threat}"
        return f"answers of {self.system.defense} to {self.count} of {self.system.data.name}, {images}"

    def run(self, bench: Workbench) -> None:
        """Submits; see `Step.run`."""
        split = self.system.data.part("test", bench.resources, self.count)
        images = split.images()
        if self.craft is not None:
            clean, images = images, self.craft.load(bench)
            check_budget(self.craft.attack.label, images, clean, self.craft.threat)
        with seeded(self.seed):
            answers = self.system.build(bench).predict(images)
        np.savez_compressed(
            bench.folder / DECISIONS,
            allow_pickle=False,
            labels=split.labels.cpu().numpy(),
            answers=answers.cpu().numpy(),
        )


def read_decisions(folder: Path) -> Decided:
    """The answers in an artefact of `Decisions`."""
    with np.load(folder / DECISIONS, allow_pickle=False) as arrays:
        return Decided(*(torch.from_numpy(arrays[name]).long() for name in ("labels", "answers")))
