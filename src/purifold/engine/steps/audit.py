"""The step that doubts: the sanity checks of one evaluated system."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, final

from purifold.attacks.base import Attack
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.judge import Judge, read_outcome
from purifold.engine.steps.system import System
from purifold.evaluation.check import Check
from purifold.evaluation.sanity import sanity
from purifold.threat import ThreatModel

CHECKS = "checks.json"


@final
@dataclass(frozen=True, kw_only=True)
class Audit(Step):
    """The checks of an evaluation at its largest budget.

    Args:
        system: The one evaluated.
        count: So many test images were evaluated.
        images: How many of these the checks try.
        attacks: Those of the evaluation.
        threat: The largest budget of the evaluation.
        judged: Its outcomes.
        eot: Draws that gradients of a stochastic system are averaged over.
        seed: Of attacks and draws.
    """

    kind: ClassVar[str] = "audit"
    version: ClassVar[int] = 4

    system: System
    count: int
    images: int
    attacks: tuple[Attack, ...]
    threat: ThreatModel
    judged: tuple[Judge, ...]
    eot: int
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"sanity checks of {self.system.defense}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Runs every check; see `Step.run`."""
        checks = sanity(
            self.system.build(bench),
            self.system.data.part("test", bench.resources, self.count),
            self.attacks,
            self.threat,
            [read_outcome(bench.artefact(judged)) for judged in self.judged],
            seed=self.seed,
            images=self.images,
            eot=self.eot,
            bare=self.system.bare.build(bench).classifier,
        )
        (bench.folder / CHECKS).write_text(json.dumps([asdict(check) for check in checks], indent=2))


def read_checks(folder: Path) -> list[Check]:
    """The checks in an artefact of `Audit`."""
    return [Check(**check) for check in json.loads((folder / CHECKS).read_text())]
