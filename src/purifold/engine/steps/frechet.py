"""The step that compares samples with test images in the features of a classifier."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, cast, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.distributions import MultivariateNormal

from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.data.split import Split
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.steps.train_mixture import TrainMixture
from purifold.evaluation.frechet import features, frechet_distance
from purifold.randomness import seeded
from purifold.types import Labels

DISTANCE = "frechet.json"
BATCH = 256
"""Images sampled at a time; others make other draws."""


@final
@dataclass(frozen=True)
class Apart:
    """Distances from the first half of the test images.

    Args:
        images: In each of the sets that are compared.
        samples: Of images decoded from draws of the prior.
        fitted: Of images decoded from draws of Gaussians fitted to held-out images' noisy codes, one a class.
        real: Of the other half: what no model can be asked to better.
    """

    images: int
    samples: float
    fitted: float
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
    version: ClassVar[int] = 2

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
        first, second = self._halves(bench)
        held = self.autoencoder.data.part("validation", bench.resources)
        labels, real = first.labels.long(), features(reader, first.images())
        with seeded(self.seed):
            sampled = torch.cat([model.sample(some) for some in labels.split(BATCH)])
            codes = torch.cat([model.noisy(images) for images in held.images().split(BATCH)])
            drawn = _drawn_like(codes, held.labels, labels)
            fitted = torch.cat([model.decode(latent) for latent in drawn.split(BATCH)])
        found = Apart(
            images=len(first),
            samples=frechet_distance(features(reader, sampled), real),
            fitted=frechet_distance(features(reader, fitted), real),
            real=frechet_distance(features(reader, second.images()), real),
        )
        (bench.folder / DISTANCE).write_text(json.dumps(asdict(found)))

    def _halves(self, bench: Workbench) -> tuple[Split, Split]:
        """Test images, in two."""
        test = self.autoencoder.data.part("test", bench.resources)
        order = torch.randperm(len(test), generator=torch.Generator().manual_seed(self.seed))
        half = len(test) // 2
        return test.select(order[:half]), test.select(order[half : 2 * half])


def _drawn_like(
    codes: Float[Tensor, "held latent"], classes: Int[Tensor, "held"], labels: Labels
) -> Float[Tensor, "batch latent"]:
    """For each label a draw of the Gaussian that has the mean and the covariance of its class's codes."""
    found = torch.empty(len(labels), codes.shape[1], dtype=codes.dtype, device=codes.device)
    for label in labels.unique():
        own, rows = codes[classes == label], labels == label
        gaussian = MultivariateNormal(own.mean(dim=0), own.T.cov())
        found[rows] = gaussian.sample((int(rows.sum()),))
    return found


def read_frechet(folder: Path) -> Apart:
    """The distances in an artefact of `Frechet`."""
    return Apart(**json.loads((folder / DISTANCE).read_text()))
