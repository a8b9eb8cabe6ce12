"""The step that makes a system refuse what it should accept: attacks on availability."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast, final

import torch

from purifold.attacks.base import Attack
from purifold.defenses.base import REJECTED, Detector
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.system import System
from purifold.evaluation.evasion import suspicion
from purifold.evaluation.judge import check_budget
from purifold.randomness import seeded
from purifold.threat import ThreatModel
from purifold.types import Images, Logits

FLOODED = "flooded.json"


@final
@dataclass(frozen=True)
class Flooded:
    """What became of test images that the attacker wants refused.

    Args:
        images: How many.
        accepted: Of these, accepted when clean.
        refused: Of the accepted, refused when attacked.
    """

    images: int
    accepted: int
    refused: int


@final
@dataclass(frozen=True, kw_only=True)
class Flood(Step):
    """Ascends the suspicion of clean images inside the budget.

    Args:
        system: With detectors; a reclassifier may give refused images back.
        count: How many test images; see `Split.sample`.
        attack: Follows the suspicion as if it were a classifier of two classes, accepted and refused.
        threat: The budget.
        seed: Of the attack.
    """

    kind: ClassVar[str] = "flood"

    system: System
    count: int
    attack: Attack
    threat: ThreatModel
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"refusals of {self.system.defense} sought at {self.threat}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Attacks and submits; see `Step.run`."""
        defended = self.system.build(bench)
        detectors = cast(list[Detector], list(defended.detectors))
        images = self.system.data.part("test", bench.resources, self.count).images()

        def doubts(submitted: Images) -> Logits:
            found = suspicion(submitted, detectors)
            return torch.stack([torch.zeros_like(found), found], dim=1)

        accepts = torch.zeros(len(images), dtype=torch.long, device=images.device)
        attacked = self.attack(doubts, images, accepts, self.threat, seed=self.seed)
        check_budget(self.attack.label, attacked, images, self.threat)
        with seeded(self.seed):
            clean, answers = defended.predict(images) != REJECTED, defended.predict(attacked)
        refused = int((clean & (answers == REJECTED)).sum())
        found = {"images": len(images), "accepted": int(clean.sum()), "refused": refused}
        (bench.folder / FLOODED).write_text(json.dumps(found))


def read_flooded(folder: Path) -> Flooded:
    """What an artefact of `Flood` holds."""
    return Flooded(**json.loads((folder / FLOODED).read_text()))
