"""Our attacks beside Foolbox, ART and torchattacks: equal settings, one process, 256 MNIST images.

Run by `make bench`. What an attack returns is judged here, by one rule for all: in [0, 1], finite, and not
predicted as its label. A pass is a forward and a backward pass of the whole batch: half the forward plus half
the backward passes, so that neither several gradients of one forward pass nor a look without one come free.
"""

import argparse
import json
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from benchmarks.timing import machine, seconds
from torch import Tensor, nn

from purifold.attacks.base import Attack
from purifold.attacks.cw import CarliniWagner
from purifold.attacks.deepfool import DeepFool
from purifold.attacks.pgd import PGD
from purifold.engine.compose import Question, compose
from purifold.engine.local import run
from purifold.engine.progress import shown
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.store import Store
from purifold.networks.base import build_classifier
from purifold.threat import ThreatModel
from purifold.training.checkpoint import load_into

IMAGES = 256
EPSILON, STEP = 0.3, 0.025
"""Of PGD-40, L-infinity."""
FEW = 16
"""Images for attacks that take minutes otherwise; their seconds are scaled to `IMAGES`, and marked."""


@dataclass(frozen=True)
class Contender:
    """One library's attack.

    Args:
        work: "cw-l2", "deepfool" or "pgd-40".
        library: Whose.
        images: How many it is given.
        repeats: Runs timed.
        call: Images and labels to adversarial images.
    """

    work: str
    library: str
    images: int
    repeats: int
    call: Callable[[Tensor, Tensor], Tensor]


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--store", default="runs/store")
    parser.add_argument("--out", type=Path, default=Path("results/foundation/bench-attacks.json"))
    parser.add_argument("--only", help="one of cw-l2, deepfool, pgd-40")
    options = parser.parse_args()
    model, images, labels = _subject(options.data_root, options.store)
    rows = []
    for contender in contenders(model):
        if options.only in (None, contender.work):
            rows.append(_measure(contender, model, images[: contender.images], labels[: contender.images]))
            print(_line(rows[-1]), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"rows": rows, "machine": machine()}, indent=1) + "\n")
    print(f"matrix product: {machine()['matrix_product_gflops']} GFLOP/s; written to {options.out}")


def contenders(model: Counted) -> Iterator[Contender]:
    """Everything that is compared; peers that are not installed are left out, and that is said."""
    ball, free = ThreatModel("linf", EPSILON), ThreatModel("l2", math.inf)
    pgd = PGD(steps=40, step=STEP / EPSILON)
    yield _ours("cw-l2", "purifold", CarliniWagner(steps=100, search_steps=9, rate=0.1), model, free)
    yield _ours("deepfool", "purifold", DeepFool(), model, free)
    yield _ours("pgd-40", "purifold", replace(pgd, confidence=0.0), model, ball)
    yield _ours("pgd-40", "purifold, all", pgd, model, ball)  # goes on after the first success
    for peer in (_foolbox, _art, _torchattacks):
        try:
            yield from peer(model)
        except ImportError as error:
            print(f"left out: {error}; `make bench` installs it")


def _ours(work: str, name: str, attack: Attack, model: Counted, threat: ThreatModel) -> Contender:
    return Contender(work, name, IMAGES, 3, lambda images, labels: attack(model, images, labels, threat))


def _foolbox(model: Counted) -> Iterator[Contender]:
    import foolbox

    wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    attacks = {
        "cw-l2": (foolbox.attacks.L2CarliniWagnerAttack(9, 100, stepsize=0.1), None),
        "deepfool": (foolbox.attacks.L2DeepFoolAttack(steps=50, overshoot=0.02), None),
        "pgd-40": (foolbox.attacks.LinfPGD(abs_stepsize=STEP, steps=40), EPSILON),
    }
    for work, (attack, epsilon) in attacks.items():

        def call(images: Tensor, labels: Tensor, attack: Any = attack, epsilon: Any = epsilon) -> Tensor:
            return attack(wrapped, images, labels, epsilons=epsilon)[1]

        yield Contender(work, "foolbox", IMAGES, 3, call)


def _art(model: Counted) -> Iterator[Contender]:
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    wrapped = PyTorchClassifier(model, nn.CrossEntropyLoss(), (1, 28, 28), 10, clip_values=(0, 1))
    shared = {"batch_size": IMAGES, "verbose": False}
    attacks = {
        "cw-l2": (
            evasion.CarliniL2Method(
                wrapped, learning_rate=0.1, max_iter=100, binary_search_steps=9, **shared
            ),
            FEW,
            1,
        ),
        "deepfool": (evasion.DeepFool(wrapped, max_iter=50, epsilon=0.02, nb_grads=10, **shared), FEW, 1),
        "pgd-40": (
            evasion.ProjectedGradientDescentPyTorch(
                wrapped, eps=EPSILON, eps_step=STEP, max_iter=40, num_random_init=1, **shared
            ),
            IMAGES,
            3,
        ),
    }
    for work, (attack, count, repeats) in attacks.items():

        def call(images: Tensor, labels: Tensor, attack: Any = attack) -> Tensor:
            return torch.from_numpy(attack.generate(x=images.numpy(), y=labels.numpy()))

        yield Contender(work, "art", count, repeats, call)


def _torchattacks(model: Counted) -> Iterator[Contender]:
    import torchattacks

    attacks = {
        "cw-l2": (torchattacks.CW(model, c=1, kappa=0, steps=100, lr=0.1), IMAGES, 3),
        "deepfool": (torchattacks.DeepFool(model, steps=50, overshoot=0.02), FEW, 1),
        "pgd-40": (torchattacks.PGD(model, eps=EPSILON, alpha=STEP, steps=40), IMAGES, 3),
    }
    for work, (attack, count, repeats) in attacks.items():
        yield Contender(work, "torchattacks", count, repeats, attack)


def _subject(data_root: Path, store: str) -> tuple[Counted, Tensor, Tensor]:
    """The patch-vae MNIST classifier, trained once in the store, and the first test images."""
    resources, opened = Resources(data_root=str(data_root)), Store(store)
    question = Question(data="mnist", defenses=("none",), attacks=("pgd",))
    (experiment,) = compose(question, SCALES["cpu"], resources)
    step: TrainClassifier = experiment.system.classifier
    with shown() as listener:
        run([step], opened, resources, listener)
    model = build_classifier(step.network, (1, 28, 28), 10)
    load_into(model, opened.fetch(step))
    split = step.data.part("test", resources, IMAGES)
    return Counted(model.eval()).eval(), split.images(), split.labels


def _measure(contender: Contender, model: Counted, images: Tensor, labels: Tensor) -> dict[str, Any]:
    torch.manual_seed(0)
    model.forwards = model.backwards = 0
    found: list[Tensor] = []
    taken = [seconds(lambda: found.append(contender.call(images, labels))) for _ in range(contender.repeats)]
    adversarial = found[-1].detach()
    with torch.no_grad():
        fooled = model.model(adversarial).argmax(dim=1) != labels
    sound = adversarial.isfinite().flatten(1).all(dim=1) & (adversarial.flatten(1).aminmax(dim=1).min >= 0)
    success = fooled & sound & (adversarial.flatten(1).amax(dim=1) <= 1)
    length = (adversarial - images).flatten(1).norm(dim=1)
    return {
        "work": contender.work,
        "library": contender.library,
        "images": len(images),
        "repeats": contender.repeats,
        "seconds": statistics.median(taken),
        "seconds_all": taken,
        "seconds_per_256": statistics.median(taken) * IMAGES / len(images),
        "forward_passes": model.forwards / contender.repeats / len(images),
        "backward_passes": model.backwards / contender.repeats / len(images),
        "passes": (model.forwards + model.backwards) / 2 / contender.repeats / len(images),
        "success": success.double().mean().item(),
        "median_l2": length[success].median().item() if success.any() else math.nan,
        "mean_l2": length[success].mean().item() if success.any() else math.nan,
        "p90_l2": length[success].quantile(0.9).item() if success.any() else math.nan,
    }


def _line(row: dict[str, Any]) -> str:
    took = f"{row['seconds_per_256']:8.2f} s per 256 ({row['images']} images) {row['passes']:7.1f} passes"
    found = f"success {100 * row['success']:5.1f} %  median L2 {row['median_l2']:.3f}"
    return f"{row['work']:9} {row['library']:13} {took}  {found}"


if __name__ == "__main__":
    main()
