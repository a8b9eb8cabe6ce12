"""How much of the machine training, attack and purification use, and where their time goes.

The limit is a large matrix product, in float32 and in bfloat16. The operations of each work are counted by
torch's formulas (matrix products and convolutions alone), its seconds are measured without the counter. The
profile lists the kernels that take longest, by their own time. Weights are untrained. Run by `make bench`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import torch
from benchmarks.command import start
from benchmarks.operations import operations
from benchmarks.timing import matrix_product, median_seconds
from torch.profiler import ProfilerActivity, profile

from purifold.attacks.pgd import PGD
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.bfloat16 import has_bfloat16
from purifold.data.load import sources
from purifold.data.split import Split
from purifold.defenses.precision import Precision
from purifold.defenses.puvae import ClassSearch
from purifold.defenses.reconstruction import Reconstruction
from purifold.engine.steps.train_autoencoder import reconstruction
from purifold.losses import cross_entropy
from purifold.networks.base import build_classifier
from purifold.randomness import seeded
from purifold.threat import ThreatModel
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit

SIDES = (1024, 2048, 4096)
"""Of the squares that are multiplied; the best counts."""
KERNELS = 8
"""Lines of a profile."""
PRECISIONS: dict[Precision, tuple[torch.dtype, str]] = {"float32": (torch.float32, "32-true")}
if has_bfloat16("cpu"):
    PRECISIONS["bfloat16"] = (torch.bfloat16, "bf16-mixed")
"""Of the product, and as trainings name them; those that the processor has."""
IMAGES = {"mnist": 1_024, "cifar-10": 256}

Work: TypeAlias = tuple[str, Precision, Callable[[], object]]


def main() -> None:
    """Measures the limit, then each work beside it."""
    bench = start(__doc__, "results/performance/kernels.json")
    sides, repeats = bench.size(SIDES, (64,)), bench.size(3, 1)
    peaks = {
        name: max(matrix_product(side, kind, repeats=repeats) for side in sides)
        for name, (kind, _) in PRECISIONS.items()
    }
    rows = []
    for data, count in IMAGES.items():
        split = bench.split(data, "test", bench.size(count, 2))
        for name, precision, call in _works(data, split):
            found = {"work": name, "data": data, "precision": precision, "images": len(split)}
            rows.append({**found, **_measured(call, peaks[precision], repeats)})
            print(f"{name}, {data}, {precision}: {100 * rows[-1]['share']:.0f} % of the product's rate")
    bench.write({"peak_gflops": peaks, "rows": rows})


def _works(data: str, split: Split) -> Iterator[Work]:
    """What is done most: an epoch of training, an attack of ten steps, a purification."""
    source, images = sources()[data], split.images()
    assert source.defaults is not None
    spec = AutoencoderSpec(
        kind="variational", network=source.defaults.autoencoder, latent=source.defaults.latent
    )
    with seeded(0):
        classifier = build_classifier(source.defaults.classifier, split.shape, source.classes).eval()
        autoencoder = spec.build(split.shape).eval()
        conditional = ConditionalSpec().build(split.shape, source.classes).eval()
    for name, (_, precision) in PRECISIONS.items():
        settings = TrainingConfig(epochs=1, precision=precision)
        learn = partial(fit, train=split, config=settings, seed=0, accelerator="cpu")
        yield "training a classifier", name, partial(learn, classifier, loss=_classification)
        yield "training a VAE", name, partial(learn, autoencoder, loss=reconstruction)
    attack, threat = PGD(steps=10), ThreatModel("linf", 0.1)
    yield "PGD", "float32", partial(attack, classifier, images, split.labels, threat)
    yield "purifying by a VAE", "float32", partial(_purify, Reconstruction(autoencoder).eval(), images)
    for name in PRECISIONS:
        search = ClassSearch(conditional, precision=name).eval()
        yield "purifying by PuVAE", name, partial(_purify, search, images[:128])


def _classification(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return cross_entropy(model(images), labels)


@torch.no_grad()
def _purify(purifier: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    return torch.cat([purifier(batch) for batch in images.split(256)])


def _measured(call: Callable[[], object], peak: float, repeats: int) -> dict[str, Any]:
    taken = median_seconds(call, repeats)
    rate = operations(call) / taken / 1e9
    return {"seconds": taken, "gflops": rate, "share": rate / peak, "profile": _profiled(call)}


def _profiled(call: Callable[[], object]) -> list[dict[str, Any]]:
    """The longest kernels: their share of all kernels' own time, and how often they are called."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        call()
    kernels = sorted(seen.key_averages(), key=lambda kernel: -kernel.self_cpu_time_total)
    whole = sum(kernel.self_cpu_time_total for kernel in kernels)
    return [
        {"kernel": kernel.key, "share": kernel.self_cpu_time_total / whole, "calls": kernel.count}
        for kernel in kernels[:KERNELS]
    ]


if __name__ == "__main__":
    main()
