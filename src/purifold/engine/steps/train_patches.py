"""The step that trains an autoencoder of small squares, cut at random out of larger images."""

from dataclasses import dataclass
from typing import ClassVar, final

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.patch_spec import PatchSpec
from purifold.data.split import DataSet, Split
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.train_autoencoder import reconstruction
from purifold.engine.steps.training import Training
from purifold.training.config import TrainingConfig


@final
@dataclass(frozen=True, kw_only=True)
class TrainPatches(Training[Autoencoder]):
    """An autoencoder of clean patches, whose side the specification and the configuration share.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        spec: Patch size, networks and objective.
        config: How it is trained; its crops are the patches.
        seed: Of its weights, its patches and its training.
        spared: Of a data set without a training part the test images that are not trained on, because a
            study attacks them; see `Split.sample`. 0: the training part is trained on.
    """

    kind: ClassVar[str] = "train-patches"

    data: Data
    images: int
    spec: PatchSpec
    config: TrainingConfig
    seed: int
    spared: int = 0

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train {self.spec.label} on {self.data.name}"

    def examples(self, data: DataSet) -> Split:
        """See `Training.examples`."""
        if self.spared:
            return data.test.rest(self.spared).first(self.images)
        return super().examples(data)

    def build(self, resources: Resources) -> Autoencoder:
        """See `Training.build`."""
        return self.spec.build(self.data.load(resources).shape)

    def run(self, bench: Workbench) -> None:
        """Trains the autoencoder; see `Step.run`."""
        self.fitted(reconstruction, bench)
