"""Adaptive PGD with EOT through a sampled VAE, beside the same attack on a plain loop over the draws.

Weights are untrained: they do not matter for the time, and every image is attacked for all steps. The loop
makes one call a draw and averages the logits, as ours does; at equal random numbers gradients must agree.
Beside the seconds stands what the loop computes more, in products: what is left of a ratio is better use of
the machine, of which a loop over large batches leaves little.
Run by `make bench`.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from benchmarks.command import start
from benchmarks.operations import operations
from benchmarks.timing import seconds
from torch import Tensor

from purifold.attacks.pgd import PGD
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.load import sources
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.defenses.reconstruction import Reconstruction
from purifold.evaluation.evaluate import craft_on
from purifold.evaluation.surface import View, surface
from purifold.losses import cross_entropy
from purifold.networks.base import build_classifier
from purifold.randomness import seeded
from purifold.threat import ThreatModel

DRAWS, STEPS = 20, 5
IMAGES = {"mnist": (256, 16), "cifar-10": (64, 16)}
"""Attacked; and few, as one attacks by hand."""
SHARED = 8
"""Images of which gradients are compared."""
TOLERANCE = 1e-9
"""Of the gradients' largest difference beside their largest value, in float64: in float32 a sum in another
order can put a unit on the other side of its ReLU."""
ASKED = 1.5


def main() -> None:
    """Times both on each data set, compares gradients, and writes both."""
    bench = start(__doc__, "results/performance/eot.json")
    draws, steps, repeats = bench.size((DRAWS, STEPS, 3), (2, 1, 1))
    rows = []
    for data, counts in IMAGES.items():
        system = _system(data)
        for count in counts:
            split = bench.split(data, "test", bench.size(count, 2))
            rows.append({"data": data, **_row(system, split, draws, steps, repeats)})
    bench.write({"draws": draws, "steps": steps, "rows": rows, "asked": ASKED})


def _system(data: str) -> Defended:
    source = sources()[data]
    assert source.defaults is not None
    assert source.shape is not None
    with seeded(0):
        classifier = build_classifier(source.defaults.classifier, source.shape, source.classes)
        network, latent = source.defaults.autoencoder, source.defaults.latent
        autoencoder = AutoencoderSpec(kind="variational", network=network, latent=latent).build(source.shape)
    return Defended(classifier, Reconstruction(autoencoder, latent_scale=1.0)).eval().requires_grad_(False)


def _row(system: Defended, split: Split, draws: int, steps: int, repeats: int) -> dict[str, Any]:
    threat, attack = ThreatModel("linf", 0.1), PGD(steps=steps)
    view, images = View(draws=draws), split.images()
    ours = partial(craft_on, system, split, attack, threat, "adaptive", view=view, seed=0)
    looped = partial(attack, partial(_looped, system, draws), images, split.labels, threat)
    taken: dict[str, list[float]] = {"purifold": [], "loop": []}
    for _ in range(repeats):
        taken["purifold"].append(seconds(ours))
        taken["loop"].append(seconds(looped))
    best = {name: min(found) for name, found in taken.items()}
    apart = _apart(system, images[:SHARED], split.labels[:SHARED], draws)
    assert apart < TOLERANCE, f"the gradients differ by {apart}"
    return {
        "images": len(images),
        "seconds": best,
        "ratio": best["loop"] / best["purifold"],
        "operations": operations(looped) / operations(ours),
        "gradients_apart": apart,
    }


def _looped(system: Defended, draws: int, images: Tensor) -> Tensor:
    return torch.stack([system(images) for _ in range(draws)]).mean(dim=0)


def _apart(system: Defended, images: Tensor, labels: Tensor, draws: int) -> float:
    """Largest difference of the two gradients beside the largest gradient, at equal random numbers."""
    exact = copy.deepcopy(system).double()
    models = (surface(exact, "adaptive", view=View(draws=draws)), partial(_looped, exact, draws))
    found, wanted = (_gradient(model, images.double(), labels) for model in models)
    return ((found - wanted).abs().max() / wanted.abs().max()).item()


def _gradient(model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    given = images.clone().requires_grad_()
    with seeded(0):
        return torch.autograd.grad(cross_entropy(model(given), labels).sum(), given)[0]


if __name__ == "__main__":
    main()
