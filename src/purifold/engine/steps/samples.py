"""The step that samples images of each class from a Gaussian-mixture VAE."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast, final

import numpy as np
import torch

from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.gallery import pixels
from purifold.engine.steps.train_mixture import TrainMixture
from purifold.randomness import seeded

SAMPLES = "samples.npz"


@final
@dataclass(frozen=True, kw_only=True)
class Samples(Step):
    """Images decoded from draws of the Gaussians of the first classes.

    Args:
        autoencoder: Trained.
        classes: How many classes, at most.
        each: Images of a class.
        seed: Of the draws.
    """

    kind: ClassVar[str] = "samples"

    autoencoder: TrainMixture
    classes: int
    each: int
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"samples of {self.autoencoder.network}, {self.autoencoder.data.name}"

    @torch.no_grad()
    def run(self, bench: Workbench) -> None:
        """Draws and decodes; see `Step.run`."""
        model = cast(MixtureAutoencoder, self.autoencoder.load(bench))
        classes = min(self.classes, model.classes)
        labels = torch.arange(classes, device=bench.resources.device).repeat_interleave(self.each)
        with seeded(self.seed):
            found = pixels(model.sample(labels))
        shape = (classes, self.each, *found.shape[1:])
        np.savez_compressed(bench.folder / SAMPLES, allow_pickle=False, images=found.reshape(shape))


def read_samples(folder: Path) -> np.ndarray:
    """The images, uint8 (classes, each, height, width, channel)."""
    with np.load(folder / SAMPLES, allow_pickle=False) as arrays:
        return arrays["images"]
