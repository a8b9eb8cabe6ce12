"""The step that compares samples with test images in the features of a classifier."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, cast, final

import torch

from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.steps.train_mixture import TrainMixture
from purifold.evaluation.frechet import features, frechet_distance
from purifold.randomness import seeded

DISTANCE = "frechet.json"
BATCH = 256
"""Images sampled at a time; others make other draws."""


@final
@dataclass(frozen=True)
class Apart:
    """Distances from the first half of the test images.

    Args:
        images: In each of the sets that are compared.
        samples: Of the model's samples.
        real: Of the other half: what no model can be asked to better.
    """

    images: int
    samples: float
    real: float


@final
@dataclass(frozen=True, kw_only=True)
class Frechet(Step):
    """How far a Gaussian-mixture VAE's samples lie from real images.

    Args:
        autoencoder: Trained.
        reader: The classifier whose features are compared.
        seed: Of the samples.
    """

    kind: ClassVar[str] = "frechet"

    autoencoder: TrainMixture
    reader: TrainClassifier
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"samples of {self.autoencoder.network} in features of {self.reader.network}"

    @torch.no_grad()
    def run(self, bench: Workbench) -> None:
        """Samples as many images of each class as there are; see `Step.run`."""
        model = cast(MixtureAutoencoder, self.autoencoder.load(bench))
        reader = self.reader.load(bench)
        test = self.autoencoder.data.part("test", bench.resources)
        order = torch.randperm(len(test), generator=torch.Generator().manual_seed(self.seed))
        half = len(test) // 2
        first, second = (test.select(order[rows]) for rows in (slice(half), slice(half, 2 * half)))
        with seeded(self.seed):
            sampled = torch.cat([model.sample(labels.long()) for labels in first.labels.split(BATCH)])
        real = features(reader, first.images())
        found = Apart(
            images=half,
            samples=frechet_distance(features(reader, sampled), real),
            real=frechet_distance(features(reader, second.images()), real),
        )
        (bench.folder / DISTANCE).write_text(json.dumps(asdict(found)))


def read_frechet(folder: Path) -> Apart:
    """The distances in an artefact of `Frechet`."""
    return Apart(**json.loads((folder / DISTANCE).read_text()))
