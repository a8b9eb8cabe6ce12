"""The step that times: seconds of a defended system and of its classifier alone."""

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import ClassVar, TypeVar, final

import torch

from purifold.engine.step import Step, Workbench
from purifold.engine.steps.system import System
from purifold.randomness import seeded
from purifold.types import Images

Answers = TypeVar("Answers")
TIMES = "times.json"
ENOUGH = 1.0
"""Seconds of repetitions after which no further one is begun."""
MOST = 10
"""Repetitions, after one that does not count."""


@final
@dataclass(frozen=True)
class Times:
    """Medians in seconds for a batch of images.

    Args:
        images: How many.
        system: Prediction of the defended system.
        classifier: Prediction of the bare classifier.
    """

    images: int
    system: float
    classifier: float


@final
@dataclass(frozen=True, kw_only=True)
class Timing(Step):
    """How long a defended system takes for one batch, on the machine that makes the artefact.

    Args:
        system: Timed, and its bare classifier.
        images: How many, the first test images.
    """

    kind: ClassVar[str] = "timing"
    gpus: ClassVar[float] = 1.0

    system: System
    images: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"seconds of {self.system.defense} for {self.images} images, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Times both; see `Step.run`."""
        images = self.system.data.part("test", bench.resources).first(self.images).images()
        found = Times(
            images=len(images),
            system=_seconds(self.system.build(bench).predict, images),
            classifier=_seconds(self.system.bare.build(bench).predict, images),
        )
        (bench.folder / TIMES).write_text(json.dumps(asdict(found)))


def read_times(folder: Path) -> Times:
    """The times in an artefact of `Timing`."""
    return Times(**json.loads((folder / TIMES).read_text()))


def timed(predict: Callable[[Images], Answers], images: Images) -> tuple[Answers, float]:
    """What one call answers, and its seconds; on a GPU until it has really ended."""
    started = perf_counter()
    found = predict(images)
    if images.is_cuda:
        torch.cuda.synchronize()
    return found, perf_counter() - started


def _seconds(predict: Callable[[Images], object], images: Images) -> float:
    taken: list[float] = []
    with seeded(0):
        timed(predict, images)
        while len(taken) < MOST and sum(taken) < ENOUGH:
            taken.append(timed(predict, images)[1])
    return statistics.median(taken)
