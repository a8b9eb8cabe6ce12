"""Steps that train: a classifier, an autoencoder. The artefact is weights, how they were made, and curves."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar, final

import torch
from torch import nn

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.split import Split
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.data import Data
from purifold.evaluation.intervals import Proportion
from purifold.losses import cross_entropy
from purifold.networks.base import Classifier, build_classifier
from purifold.randomness import seeded
from purifold.training.checkpoint import load_into, save_weights
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit
from purifold.training.objective import TrainingLoss
from purifold.training.progress import Progress
from purifold.types import Images, Labels, Scores

HISTORY, ACCURACY = "history.json", "accuracy.json"
BATCH = 256
Module = TypeVar("Module", bound=nn.Module)


@final
@dataclass(frozen=True, kw_only=True)
class TrainClassifier(Step):
    """A classifier of clean images.

    Args:
        data: What it is trained on.
        images: How many of the training images; see `Split.sample`.
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

    def run(self, bench: Workbench) -> None:
        """Trains the network; see `Step.run`."""
        with seeded(self.seed):
            classifier = self._build(bench)
        _train(self, classifier, _classification, bench)
        accuracy = _accuracy(classifier, self.data.part("test", bench.resources))
        (bench.folder / ACCURACY).write_text(json.dumps(asdict(accuracy)))

    def load(self, bench: Workbench) -> Classifier:
        """The trained classifier, in evaluation mode on the device of the work."""
        return _loaded(self._build(bench), bench.artefact(self), bench)

    def _build(self, bench: Workbench) -> Classifier:
        data = self.data.load(bench.resources)
        return build_classifier(self.network, data.shape, data.classes)


@final
@dataclass(frozen=True, kw_only=True)
class TrainAutoencoder(Step):
    """An autoencoder of clean images.

    Args:
        data: What it is trained on.
        images: How many of the training images; see `Split.sample`.
        spec: Networks and objective.
        config: How it is trained.
        seed: Of its weights and its training.
    """

    kind: ClassVar[str] = "train-autoencoder"

    data: Data
    images: int
    spec: AutoencoderSpec
    config: TrainingConfig
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        defaults = AutoencoderSpec(kind=self.spec.kind, network=self.spec.network, latent=self.spec.latent)
        own = [
            f"{field.name} {getattr(self.spec, field.name)}"
            for field in fields(AutoencoderSpec)
            if getattr(self.spec, field.name) != getattr(defaults, field.name)
        ]
        name = f"{self.spec.kind} autoencoder {self.spec.network} {self.spec.latent}"
        return f"train {', '.join([name, *own])} on {self.data.name}"

    def run(self, bench: Workbench) -> None:
        """Trains the autoencoder; see `Step.run`."""
        with seeded(self.seed):
            autoencoder = self._build(bench)
        _train(self, autoencoder, _reconstruction, bench)

    def load(self, bench: Workbench) -> Autoencoder:
        """The trained autoencoder, in evaluation mode on the device of the work."""
        return _loaded(self._build(bench), bench.artefact(self), bench)

    def _build(self, bench: Workbench) -> Autoencoder:
        return self.spec.build(self.data.load(bench.resources).shape)


def read_history(folder: Path) -> dict[str, Any]:
    """The training curves of an artefact: `purifold.training.progress.History` as JSON."""
    return json.loads((folder / HISTORY).read_text())


def read_accuracy(folder: Path) -> Proportion:
    """The accuracy of an artefact of `TrainClassifier` on all test images."""
    return Proportion(**json.loads((folder / ACCURACY).read_text()))


def _train(
    step: TrainClassifier | TrainAutoencoder, model: nn.Module, loss: TrainingLoss, bench: Workbench
) -> None:
    data = step.data.load(bench.resources)
    history = fit(
        model.to(bench.resources.device),
        data.part("train").sample(step.images),
        loss,
        step.config,
        seed=step.seed,
        validation=data.validation,
        folder=bench.scratch,
        accelerator="cpu" if bench.resources.device == "cpu" else "auto",
        progress=_teller(bench),
    )
    save_weights(model, bench.folder, how=step.describe())
    (bench.folder / HISTORY).write_text(json.dumps(asdict(history)))


def _teller(bench: Workbench) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        done = (progress.epoch - 1 + progress.step / progress.steps) / progress.epochs
        bench.progress(done, f"epoch {progress.epoch}/{progress.epochs}, loss {progress.loss:.3g}")

    return tell


def _loaded(module: Module, weights: Path, bench: Workbench) -> Module:
    load_into(module, weights)
    return module.to(bench.resources.device).eval().requires_grad_(False)


@torch.no_grad()
def _accuracy(classifier: nn.Module, split: Split) -> Proportion:
    right = [classifier(images).argmax(dim=1) == labels for images, labels in split.batches(BATCH)]
    return Proportion.of(torch.cat(right))


def _classification(model: nn.Module, images: Images, labels: Labels) -> Scores:
    return cross_entropy(model(images), labels)


def _reconstruction(model: nn.Module, images: Images, labels: Labels) -> Scores:
    return model.loss(images)  # type: ignore[operator]
