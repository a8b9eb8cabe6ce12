"""What every training step is: a model fitted to a data set. The artefact is its weights and its curves."""

import json
import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch import nn

from purifold.data.split import DataSet, Split
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.steps.data import Data
from purifold.randomness import seeded
from purifold.training.checkpoint import load_into, save_weights
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit
from purifold.training.objective import TrainingLoss
from purifold.training.progress import Progress

HISTORY = "history.json"
Trained_co = TypeVar("Trained_co", bound=nn.Module, covariant=True)


class Trained(Step, Generic[Trained_co]):
    """A step whose artefact is a model's weights."""

    @abstractmethod
    def build(self, resources: Resources) -> Trained_co:
        """The model before its training, its weights drawn from torch's generator."""

    def load(self, bench: Workbench) -> Trained_co:
        """The trained model, in evaluation mode on the device of the work."""
        model = self.build(bench.resources)
        load_into(model, bench.artefact(self))
        return model.to(bench.resources.device).eval().requires_grad_(False)


class Training(Trained[Trained_co]):
    """A model that is trained on images.

    Args:
        data: What it is trained on.
        images: How many of the training images; see `Split.sample`.
        config: How it is trained.
        seed: Of its weights and its training.
    """

    gpus: ClassVar[float] = 0.5

    data: Data
    images: int
    config: TrainingConfig
    seed: int

    def examples(self, data: DataSet) -> Split:
        """The images that it is trained on."""
        return data.part("train").sample(self.images)

    def fitted(self, loss: TrainingLoss, bench: Workbench) -> Trained_co:
        """Trains the model and writes weights and curves; what `run` does, but for the loss."""
        with seeded(self.seed):
            model = self.build(bench.resources)
        data = self.data.load(bench.resources)
        history = fit(
            model.to(bench.resources.device),
            self.examples(data),
            loss,
            self.config,
            seed=self.seed,
            validation=data.validation,
            folder=bench.scratch,
            accelerator="cpu" if bench.resources.device == "cpu" else "auto",
            progress=_teller(bench),
            logs=self._logs(bench.resources),
        )
        save_weights(model, bench.folder, how=self.describe())
        (bench.folder / HISTORY).write_text(json.dumps(asdict(history)))
        return model

    def _logs(self, resources: Resources) -> Path | None:
        """A folder of its own: what TensorBoard calls the training."""
        name = re.sub(r"[^\w.=-]+", "-", f"{self.label} {self.key[:8]}")
        return None if resources.logs is None else Path(resources.logs) / name


def read_history(folder: Path) -> dict[str, Any]:
    """The training curves of an artefact: `purifold.training.progress.History` as JSON."""
    return json.loads((folder / HISTORY).read_text())


def _teller(bench: Workbench) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        done = (progress.epoch - 1 + progress.step / progress.steps) / progress.epochs
        bench.progress(done, f"epoch {progress.epoch}/{progress.epochs}, loss {progress.loss:.3g}")

    return tell
