"""The step that trains an autoencoder of clean images."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.magnet import MagnetAutoencoder, MagnetSpec
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores


@final
@dataclass(frozen=True, kw_only=True)
class TrainAutoencoder(Training[Autoencoder | MagnetAutoencoder]):
    """An autoencoder of clean images.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        spec: Networks and objective.
        config: How it is trained.
        seed: Of its weights and its training.
    """

    kind: ClassVar[str] = "train-autoencoder"

    data: Data
    images: int
    spec: AutoencoderSpec | MagnetSpec
    config: TrainingConfig
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train {self.spec.label} on {self.data.name}"

    def build(self, resources: Resources) -> Autoencoder | MagnetAutoencoder:
        """See `Training.build`."""
        return self.spec.build(self.data.load(resources).shape)

    def run(self, bench: Workbench) -> None:
        """Trains the autoencoder; see `Step.run`."""
        self.fitted(reconstruction, bench)


def reconstruction(model: nn.Module, images: Images, labels: Labels) -> Scores:
    """What training an autoencoder minimises: its own loss of each image."""
    return model.loss(images)  # type: ignore[operator]
