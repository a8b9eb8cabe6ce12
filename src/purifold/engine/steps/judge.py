"""The step that judges: predictions of the deployed system on clean and attacked images."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np

from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System
from purifold.evaluation.evaluate import numbered
from purifold.evaluation.judge import judge
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.surface import Knowledge
from purifold.threat import ThreatModel
from purifold.types import Images

HEADER, ARRAYS = "outcome.json", "outcome.npz"


@final
@dataclass(frozen=True, kw_only=True)
class Judge(Step):
    """The outcome of one system, under one budget and one knowledge, over all attacks.

    Args:
        system: The deployed one.
        count: How many test images; see `Split.sample`.
        crafts: The attacks, on the images of `count`, at this budget or unbounded.
        threat: The budget.
        knowledge: What the outcome is filed under.
        draws: Predictions of each image.
        seed: Of the draws.
    """

    kind: ClassVar[str] = "judge"
    version: ClassVar[int] = 3

    system: System
    count: int
    crafts: tuple[Craft, ...]
    threat: ThreatModel
    knowledge: Knowledge
    draws: int
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"judge {self.system.defense} at {self.threat}, {self.knowledge}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Predicts on the deployed path; see `Step.run`."""
        defended = self.system.build(bench)
        split = self.system.data.part("test", bench.resources, self.count)
        outcome = judge(
            defended,
            split,
            self._adversarial(split.images(), bench),
            self.threat,
            self.knowledge,
            draws=self.draws if defended.stochastic else 1,
            seed=self.seed,
            substitute=self._substitute(),
        )
        header, arrays = outcome.to_arrays()
        (bench.folder / HEADER).write_text(json.dumps(header))
        np.savez_compressed(bench.folder / ARRAYS, allow_pickle=False, **arrays)

    def _substitute(self) -> str:
        networks = {craft.substitute.network for craft in self.crafts if craft.substitute is not None}
        return ", ".join(sorted(networks))

    def _adversarial(self, images: Images, bench: Workbench) -> dict[str, Images]:
        """By attack; where an unbounded attack went beyond this budget it failed: the clean image."""
        attacks = dict.fromkeys(craft.attack for craft in self.crafts)
        names = dict(zip(attacks, numbered(tuple(attacks)), strict=True))
        return {
            names[craft.attack] + craft.view.suffix: self.threat.within(craft.load(bench), images)
            for craft in self.crafts
        }


def read_outcome(folder: Path) -> Outcome:
    """The outcome in an artefact of `Judge`."""
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        return Outcome.from_arrays(json.loads((folder / HEADER).read_text()), dict(arrays))
