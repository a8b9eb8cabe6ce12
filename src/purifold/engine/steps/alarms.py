"""The step that counts which of a system's detectors turn images away."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, cast, final

import torch

from purifold.batches import at_once, in_batches
from purifold.defenses.base import Detector
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System

ALARMS = "alarms.json"


@final
@dataclass(frozen=True)
class Alarmed:
    """Images that were turned away.

    Args:
        images: Submitted.
        by: Each detector's count, by its name.
        any: By one detector or more.
    """

    images: int
    by: Mapping[str, int]
    any: int


@final
@dataclass(frozen=True, kw_only=True)
class Alarms(Step):
    """What each detector of a system does by itself.

    Args:
        system: With detectors.
        count: How many test images; see `Split.sample`.
        craft: Attacked images of `count`; None: the clean ones.
    """

    kind: ClassVar[str] = "alarms"

    system: System
    count: int
    craft: Craft | None

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        images = "clean images" if self.craft is None else f"{self.craft.attack.label} at {self.craft.threat}"
        return f"alarms of {self.system.defense} about {images}, {self.system.subject}"

    @torch.no_grad()
    def run(self, bench: Workbench) -> None:
        """Scores; see `Step.run`."""
        defended = self.system.build(bench)
        if self.craft is None:
            images = self.system.data.part("test", bench.resources, self.count).images()
        else:
            images = self.craft.load(bench)
        detectors = cast(Sequence[Detector], defended.detectors)
        alarms = {one.name: ~in_batches(one.accepts, images, at_once(images)) for one in detectors}
        found = Alarmed(
            images=len(images),
            by={name: int(raised.sum()) for name, raised in alarms.items()},
            any=int(torch.stack(tuple(alarms.values())).any(dim=0).sum()),
        )
        (bench.folder / ALARMS).write_text(json.dumps(asdict(found)))


def read_alarms(folder: Path) -> Alarmed:
    """The counts in an artefact of `Alarms`."""
    return Alarmed(**json.loads((folder / ALARMS).read_text()))
