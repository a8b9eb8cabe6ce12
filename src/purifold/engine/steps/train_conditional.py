"""The step that trains a class-conditional autoencoder, through a fixed classifier."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from purifold.autoencoders.conditional import ConditionalAutoencoder
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.classifier_training import ClassifierTraining
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores


@final
@dataclass(frozen=True, kw_only=True)
class TrainConditional(Training[ConditionalAutoencoder]):
    """A class-conditional autoencoder of clean images.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        spec: Networks and objective.
        source: The classifier that its loss looks through.
        config: How it is trained.
        seed: Of its weights and its training.
    """

    kind: ClassVar[str] = "train-conditional"

    data: Data
    images: int
    spec: ConditionalSpec
    source: ClassifierTraining
    config: TrainingConfig
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train conditional autoencoder {self.spec.latent} on {self.data.name}"

    def build(self, resources: Resources) -> ConditionalAutoencoder:
        """See `Training.build`."""
        data = self.data.load(resources)
        return self.spec.build(data.shape, data.classes)

    def run(self, bench: Workbench) -> None:
        """Trains the autoencoder; see `Step.run`."""
        source = self.source.load(bench)

        def loss(model: nn.Module, images: Images, labels: Labels) -> Scores:
            return model.loss(images, labels, source)  # type: ignore[operator]

        self.fitted(loss, bench)
