"""VAE training beside Pythae: the same network, weights, data, objective, optimiser and batch size.

Images a second of whole trainings, data loading included. Each trains in a process of its own, set up as its
users get it: ours asks for huge pages, Pythae loads in the training process and gets the network in torch's
own layers. What Pythae gains from huge pages and from our layers, and ours from bfloat16, stands beside, and
so do the last losses: those of one precision differ by the order of the images and by the noise. Run by
`make bench`.
"""

import os
import statistics
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from typing import Any

from benchmarks.command import start
from benchmarks.pythae import in_torch_layers, train_with_pythae
from benchmarks.timing import median_ratio, seconds

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.bfloat16 import has_bfloat16
from purifold.data.load import sources
from purifold.data.split import Split
from purifold.engine.memory import ASKED, ask_for_huge_pages
from purifold.engine.steps.train_autoencoder import reconstruction
from purifold.randomness import seeded
from purifold.training.config import Precision, TrainingConfig
from purifold.training.fit import fit

IMAGES = {"mnist": 10_000, "cifar-10": 2_000}
SETTINGS = TrainingConfig(epochs=2, batch_size=128, optimizer="adam", learning_rate=1e-3)
PRECISIONS: dict[str, Precision] = {"purifold": "32-true"}
if has_bfloat16("cpu"):
    PRECISIONS["purifold, bfloat16"] = "bf16-mixed"
OUR_LAYERS = "pythae, our layers"
ASKED_RATIO, REPEATS = 1.5, 5


def main() -> None:
    """Trains with both on each data set and writes images a second."""
    bench = start(__doc__, "results/performance/training.json")
    rows = []
    for data, count in IMAGES.items():
        shown = bench.split(data, "train", bench.size(count, 4))
        rows.append({"data": data, **_row(data, shown, smoke=bench.smoke)})
    bench.write({"settings": vars(SETTINGS), "rows": rows, "asked": ASKED_RATIO})


def _row(data: str, shown: Split, *, smoke: bool = False) -> dict[str, Any]:
    """All in turn, medians, after a short training that warms up. To smoke, threads will do."""
    defaults = sources()[data].defaults
    assert defaults is not None
    spec = AutoencoderSpec(kind="variational", network=defaults.autoencoder, latent=defaults.latent)
    rates: dict[str, list[float]] = {}
    losses: dict[str, float] = {}
    with ExitStack() as stack:
        rivals = {
            **{
                name: (_process(stack, ask_for_huge_pages, smoke), partial(_ours, precision))
                for name, precision in PRECISIONS.items()
            },
            "pythae": (_process(stack, _leave_pages, smoke), partial(_theirs, False)),
            "pythae, huge pages": (_process(stack, ask_for_huge_pages, smoke), partial(_theirs, False)),
            OUR_LAYERS: (_process(stack, _leave_pages, smoke), partial(_theirs, True)),
        }
        for turn in range(1 + (1 if smoke else REPEATS)):
            images = shown if turn else shown.first(2 * SETTINGS.batch_size)
            for name, (process, train) in rivals.items():
                try:
                    taken, losses[name] = process.submit(train, spec, images).result()
                except ImportError as error:
                    print(f"left out: {error}; `make bench` installs it")
                    continue
                rates.setdefault(name, []).extend([SETTINGS.epochs * len(images) / taken] if turn else [])
    found = {
        "network": spec.label,
        "images": len(shown),
        "images_per_second": {name: statistics.median(turns) for name, turns in rates.items()},
        "of_each_turn": rates,
        "last_loss": losses,
    }
    ratios = {"ratio": "pythae", "ratio_in_our_layers": OUR_LAYERS}
    return found | {
        name: median_ratio(rates["purifold"], rates[rival])
        for name, rival in ratios.items()
        if rival in rates
    }


def _process(stack: ExitStack, set_up: Any, smoke: bool) -> Executor:
    """A process, or a thread, that lives as long as the comparison."""
    made = (
        ThreadPoolExecutor(1) if smoke else ProcessPoolExecutor(1, get_context("spawn"), initializer=set_up)
    )
    return stack.enter_context(made)


def _leave_pages() -> None:
    os.environ.pop(ASKED, None)


def _ours(precision: Precision, spec: AutoencoderSpec, shown: Split) -> tuple[float, float]:
    """Seconds of a training, and its last epoch's loss."""
    settings = TrainingConfig(**{**vars(SETTINGS), "precision": precision})
    with seeded(0):
        autoencoder = spec.build(shown.shape)
    found = []
    taken = seconds(
        lambda: found.append(fit(autoencoder, shown, reconstruction, settings, seed=0, accelerator="cpu"))
    )
    return taken, found[0].train_loss[-1]


def _theirs(in_our_layers: bool, spec: AutoencoderSpec, shown: Split) -> tuple[float, float]:
    with seeded(0):
        autoencoder = spec.build(shown.shape)
    given = autoencoder if in_our_layers else in_torch_layers(autoencoder)
    return train_with_pythae(given, shown, SETTINGS)


if __name__ == "__main__":
    main()
