"""The step that trains a network to classify clean images."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.classifier_training import ClassifierTraining
from purifold.engine.steps.data import Data
from purifold.losses import cross_entropy
from purifold.networks.base import Classifier, build_classifier
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores


@final
@dataclass(frozen=True, kw_only=True)
class TrainClassifier(ClassifierTraining):
    """A network that classifies.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        network: By name; see `purifold.networks`.
        config: How it is trained.
        seed: Of its weights and its training.
    """

    kind: ClassVar[str] = "train-classifier"

    data: Data
    images: int
    network: str
    config: TrainingConfig
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train {self.network} on {self.data.name}"

    def build(self, resources: Resources) -> Classifier:
        """See `Training.build`."""
        data = self.data.load(resources)
        return build_classifier(self.network, data.shape, data.classes)

    def run(self, bench: Workbench) -> None:
        """Trains the network; see `Step.run`."""
        self.judged(self.fitted(_classification, bench), bench)


def _classification(model: nn.Module, images: Images, labels: Labels) -> Scores:
    return cross_entropy(model(images), labels)
