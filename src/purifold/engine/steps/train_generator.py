"""The step that trains a generator of clean images against its critic."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from purifold.autoencoders.generative import GenerativeModel, GeneratorSpec
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores


@final
@dataclass(frozen=True, kw_only=True)
class TrainGenerator(Training[GenerativeModel]):
    """A generator of clean images, with its critic.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        spec: Networks.
        config: How it is trained.
        seed: Of its weights and its training.
    """

    kind: ClassVar[str] = "train-generator"

    data: Data
    images: int
    spec: GeneratorSpec
    config: TrainingConfig
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train {self.spec.label} on {self.data.name}"

    def build(self, resources: Resources) -> GenerativeModel:
        """See `Training.build`."""
        return self.spec.build(self.data.load(resources).shape)

    def run(self, bench: Workbench) -> None:
        """Trains both; see `Step.run`."""
        self.fitted(_game, bench)


def _game(model: nn.Module, images: Images, labels: Labels) -> Scores:
    return model.loss(images)  # type: ignore[operator]
