"""The step that trains a classifier of clean images."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, final

import torch
from torch import nn

from purifold.data.split import Split
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training
from purifold.evaluation.intervals import Proportion
from purifold.losses import cross_entropy
from purifold.networks.base import Classifier, build_classifier
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores

ACCURACY = "accuracy.json"
BATCH = 256


@final
@dataclass(frozen=True, kw_only=True)
class TrainClassifier(Training[Classifier]):
    """A classifier of clean images.

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
        classifier = self.fitted(_classification, bench)
        found = accuracy(classifier, self.data.part("test", bench.resources))
        (bench.folder / ACCURACY).write_text(json.dumps(asdict(found)))


def read_accuracy(folder: Path) -> Proportion:
    """The accuracy of a classifier's artefact on all test images."""
    return Proportion(**json.loads((folder / ACCURACY).read_text()))


@torch.no_grad()
def accuracy(classifier: nn.Module, split: Split) -> Proportion:
    """Share of the images that a classifier is right on."""
    right = [classifier(images).argmax(dim=1) == labels for images, labels in split.batches(BATCH)]
    return Proportion.of(torch.cat(right))


def _classification(model: nn.Module, images: Images, labels: Labels) -> Scores:
    return cross_entropy(model(images), labels)
