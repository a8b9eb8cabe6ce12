"""The step that trains a Gaussian-mixture VAE, with the labels of all images or of a few of each class."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from purifold.autoencoders.mixture import UNLABELLED, MixtureAutoencoder
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.split import DataSet, Split
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.classifier_training import ClassifierTraining
from purifold.engine.steps.data import Data
from purifold.errors import InputError
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores

WARMING = 0.75
"""Share of a training in which the pull on images without a label grows."""
SHARE = 3
"""Of an epoch's images one in so many has a label, where few do: each of those comes several times."""


@final
@dataclass(frozen=True, kw_only=True)
class TrainMixture(ClassifierTraining):
    """A classifier and an autoencoder in one.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        spec: Networks, prior and objective.
        config: How it is trained.
        seed: Of its weights, its training, and which images have labels.
    """

    kind: ClassVar[str] = "train-mixture"
    version: ClassVar[int] = 2

    data: Data
    images: int
    spec: MixtureSpec
    config: TrainingConfig
    seed: int

    @property
    def network(self) -> str:  # type: ignore[override]
        """What records call it."""
        return str(self.spec)

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train {self.spec} on {self.data.name}"

    def build(self, resources: Resources) -> MixtureAutoencoder:
        """See `Training.build`."""
        data = self.data.load(resources)
        labelled = self.spec.labelled * data.classes
        shown = self.images + labelled * _repeats(self.images, labelled)
        updates = self.config.epochs * math.ceil(shown / self.config.batch_size)
        return self.spec.build(data.shape, data.classes, round(WARMING * updates))

    def examples(self, data: DataSet) -> Split:
        """All images, with the labels that training may see; see `with_few_labels`."""
        train = super().examples(data)
        return with_few_labels(train, self.spec.labelled, self.seed) if self.spec.labelled else train

    def run(self, bench: Workbench) -> None:
        """Trains the autoencoder; see `Step.run`."""
        self.judged(self.fitted(_loss, bench), bench)


def with_few_labels(split: Split, each: int, seed: int) -> Split:
    """The images, with the labels of `each` images a class, drawn by `seed`; the others are `UNLABELLED`.

    The labelled ones are repeated until one image in `SHARE` has a label. Refuses a class with fewer images.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(split), generator=generator).to(split.labels.device)
    chosen = torch.cat([_first(order, split, label, each) for label in range(len(split.classes))])
    labels = torch.full_like(split.labels, UNLABELLED)
    labels[chosen] = split.labels[chosen]
    copies = chosen.repeat(_repeats(len(split), len(chosen)))
    rows = torch.cat([torch.arange(len(split), device=chosen.device), copies])
    return replace(split, pixels=split.pixels[rows], labels=labels[rows])


def _repeats(images: int, labelled: int) -> int:
    """How often an image with a label comes again, so that one in `SHARE` has one."""
    return max(0, round((images - labelled) / (SHARE - 1) / max(1, labelled)) - 1)


def _first(order: Tensor, split: Split, label: int, each: int) -> Tensor:
    found = order[split.labels[order] == label]
    if len(found) < each:
        raise InputError(
            f"labelled must be at most the images of a class, {len(found)} of class {split.classes[label]}, "
            f"got {each}"
        )
    return found[:each]


def _loss(model: nn.Module, images: Images, labels: Labels) -> Scores:
    return model.loss(images, labels)  # type: ignore[operator]
