"""Our attacks beside Foolbox, ART and torchattacks: equal settings, one process, one MNIST or CIFAR-10 model.

Run by `make bench`. What an attack returns is judged here, by one rule for all: in [0, 1], finite, and not
predicted as its label. A pass is a forward and a backward pass of the whole batch: half the forward plus half
the backward passes, so that neither several gradients of one forward pass nor a look without one come free.
"""

import math
import statistics
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
import torch
from benchmarks.command import Bench, start
from benchmarks.contenders import REPEATS, Contender, Settings, contenders
from benchmarks.timing import seconds
from torch import Tensor, nn

from purifold.data.load import sources
from purifold.engine.compose import Question, compose
from purifold.engine.local import run
from purifold.engine.progress import shown
from purifold.engine.scale import SCALES, ScaleName
from purifold.engine.step import Resources
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.store import Store
from purifold.networks.base import build_classifier
from purifold.randomness import seeded
from purifold.training.checkpoint import load_into

GIVEN = {
    "mnist": Settings(images=256, few=16, repeats=REPEATS, shape=(1, 28, 28), epsilon=0.3, step=0.025),
    "cifar-10": Settings(images=64, few=8, repeats=REPEATS, shape=(3, 32, 32), epsilon=8 / 255, step=2 / 255),
}
WORKS = tuple(REPEATS)
SMOKE = {
    **{"images": 2, "few": 1, "repeats": dict.fromkeys(WORKS, 1)},
    **{"pgd": 2, "cw": 2, "searches": 2, "deepfool": 2, "queries": 5},
}


class Counted(nn.Module):
    """A model that counts the images that pass forward and the images that pass backward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.forwards = 0
        self.backwards = 0

    def forward(self, images: Tensor) -> Tensor:
        """The model's logits."""
        self.forwards += len(images)
        logits = self.model(images)
        if logits.requires_grad:
            logits.register_hook(lambda gradient: self._count(len(gradient)))
        return logits

    def _count(self, images: int) -> None:
        self.backwards += images


def main() -> None:
    """Runs every contender and writes the table."""
    bench = start(__doc__, "results/performance/attacks-{data}.json", _options)
    options, given = bench.options, GIVEN[bench.options.data]
    if bench.smoke:
        given = replace(given, **SMOKE)
    model, images, labels = _subject(bench, options.data, given.images)
    rows = []
    found = list(contenders(model, given))
    for work in WORKS if options.only is None else (options.only,):
        turns = [Timed(contender) for contender in found if contender.work == work]
        _take_turns(turns, model, images, labels)
        for timed in turns:
            rows.append(_row(timed, model, images, labels, given.images))
            print(_line(rows[-1]), flush=True)
    bench.write({"data": options.data, "images": given.images, "rows": rows})


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--data", choices=tuple(GIVEN), default="mnist")
    parser.add_argument("--only", choices=WORKS)
    parser.add_argument("--store", default="runs/store")
    parser.add_argument(
        "--scale", choices=get_args(ScaleName), default="cpu", help="of the classifier's training"
    )


def _subject(bench: Bench, data: str, count: int) -> tuple[Counted, Tensor, Tensor]:
    """The data set's classifier, trained once in the store, and the first test images; untrained to smoke."""
    split, source = bench.split(data, "test", count), sources()[data]
    images = split.images()
    if bench.smoke:
        assert source.defaults is not None
        with seeded(0):
            fresh = build_classifier(source.defaults.classifier, split.shape, 10).eval()
        return Counted(fresh).eval(), images, fresh(images).argmax(dim=1)
    resources, opened = Resources(data_root=str(bench.data_root)), Store(bench.options.store)
    question = Question(data=data, defenses=("none",), attacks=("pgd",))
    (experiment,) = compose(question, SCALES[bench.options.scale], resources)
    step: TrainClassifier = experiment.system.classifier
    with shown() as listener:
        run([step], opened, resources, listener)
    model = build_classifier(step.network, split.shape, 10)
    load_into(model, opened.fetch(step))
    return Counted(model.eval()).eval(), images, split.labels


@dataclass
class Timed:
    """A contender, and what its turns took and found."""

    contender: Contender
    taken: list[float] = field(default_factory=list)
    forwards: list[int] = field(default_factory=list)
    backwards: list[int] = field(default_factory=list)
    found: list[Tensor] = field(default_factory=list)

    def run(self, model: Counted, images: Tensor, labels: Tensor) -> None:
        """Once more; a turn has the same seed for all contenders."""
        seed = len(self.taken)
        torch.manual_seed(seed)
        np.random.seed(seed)
        model.forwards = model.backwards = 0
        self.taken.append(seconds(lambda: self.found.append(self.contender.call(images, labels, seed))))
        self.forwards.append(model.forwards)
        self.backwards.append(model.backwards)


def _take_turns(found: Sequence[Timed], model: Counted, images: Tensor, labels: Tensor) -> None:
    """A run of each, then the next of each: a machine that slows down slows all of them."""
    for turn in range(max(timed.contender.repeats for timed in found)):
        for timed in found:
            if turn < timed.contender.repeats:
                count = timed.contender.images
                timed.run(model, images[:count], labels[:count])


def _row(timed: Timed, model: Counted, images: Tensor, labels: Tensor, of: int) -> dict[str, Any]:
    """Medians of the seconds, means of the passes; success and distances are those of all turns."""
    contender, turns = timed.contender, len(timed.taken)
    adversarial = torch.cat(timed.found).detach()
    given, truth = images[: contender.images].repeat(turns, 1, 1, 1), labels[: contender.images].repeat(turns)
    with torch.no_grad():
        predicted = torch.cat([model.model(batch).argmax(dim=1) for batch in adversarial.split(of)])
    lowest, highest = adversarial.flatten(1).aminmax(dim=1)
    success = (predicted != truth) & (lowest >= 0) & (highest <= 1)  # NaN is neither
    length = (adversarial - given).flatten(1).norm(dim=1)
    forwards, backwards = (sum(passes) / len(truth) for passes in (timed.forwards, timed.backwards))
    return {
        "work": contender.work,
        "library": contender.library,
        "images": contender.images,
        "repeats": contender.repeats,
        "seconds": statistics.median(timed.taken),
        "seconds_all": timed.taken,
        "seconds_of_all_images": statistics.median(timed.taken) * of / contender.images,
        "forward_passes": forwards,
        "backward_passes": backwards,
        "passes": (forwards + backwards) / 2,
        "success": success.double().mean().item(),
        "median_l2": length[success].median().item() if success.any() else math.nan,
        "mean_l2": length[success].mean().item() if success.any() else math.nan,
        "p90_l2": length[success].quantile(0.9).item() if success.any() else math.nan,
    }


def _line(row: dict[str, Any]) -> str:
    took = f"{row['seconds_of_all_images']:8.2f} s ({row['images']} images) {row['passes']:7.1f} passes"
    found = f"success {100 * row['success']:5.1f} %  median L2 {row['median_l2']:.3f}"
    return f"{row['work']:9} {row['library']:13} {took}  {found}"


if __name__ == "__main__":
    main()
