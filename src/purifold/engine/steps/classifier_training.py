"""What every training of a classifier leaves beside its weights: how accurate it is on clean test images."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from purifold.batches import at_once, in_batches
from purifold.data.split import Split
from purifold.engine.step import Workbench
from purifold.engine.steps.training import Training
from purifold.evaluation.intervals import Proportion

ACCURACY = "accuracy.json"


class ClassifierTraining(Training[nn.Module]):
    """A model from images to logits that is trained on clean images.

    Args:
        network: What records call it; a field, as those of `Training`.
    """

    network: str

    def judged(self, classifier: nn.Module, bench: Workbench) -> None:
        """Writes the accuracy of what was trained."""
        found = accuracy(classifier, self.data.part("test", bench.resources))
        (bench.folder / ACCURACY).write_text(json.dumps(asdict(found)))


def read_accuracy(folder: Path) -> Proportion:
    """The accuracy of a classifier's artefact on all test images."""
    return Proportion(**json.loads((folder / ACCURACY).read_text()))


@torch.no_grad()
def accuracy(classifier: nn.Module, split: Split) -> Proportion:
    """Share of the images that a classifier is right on."""
    rows = torch.arange(len(split), device=split.labels.device)
    predicted = in_batches(
        lambda some: classifier(split.images(some)).argmax(dim=1), rows, at_once(split.pixels)
    )
    return Proportion.of(predicted == split.labels)
