"""One cell of `ae-robustness`: Carlini-Wagner on a stacked network, beside the bare passes that it makes.

1,000 MNIST images, 100 iterations. The limit is the time of 100 forward and backward passes of autoencoder
and classifier alone, at the batch size at which they are fastest. Run by `make bench`.
"""

from dataclasses import replace
from functools import partial

import torch
from benchmarks.command import start
from benchmarks.timing import median_seconds, seconds
from torch import Tensor, nn

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.engine.compose import attack
from purifold.networks.base import build_classifier
from purifold.papers.ae_robustness_cells import ATTACKS
from purifold.randomness import seeded
from purifold.threat import ThreatModel

IMAGES, STEPS = 1_000, 100
SHARE = 10
"""Passes timed at each batch size: a tenth of the steps."""
BATCHES = (32, 64, 128, 256, 512, 1_000)
ASKED = 1.3
"""Times the bare passes that the attack may take."""


def main() -> None:
    """Times the passes and the attack in turn, and writes both."""
    bench = start(__doc__, "results/ae-robustness/bench-stacked.json")
    steps, share = bench.size((STEPS, SHARE), (2, 1))
    images = bench.split("mnist", "test", bench.size(IMAGES, 2)).images()
    network = stacked(images)
    labels = network(images).argmax(dim=1)  # every image must be attacked for all its iterations
    carlini_wagner = replace(attack(ATTACKS[0]), steps=steps)
    timed = {
        size: median_seconds(partial(_passes, network, images, size, share), repeats=3)
        for size in bench.size(BATCHES, (2,))
    }
    passes = {size: found * steps / share for size, found in timed.items()}
    best = min(passes, key=lambda size: passes[size])
    attacked = seconds(
        lambda: carlini_wagner(network, images, labels, ThreatModel("linf", 0.1), batch_size=best)
    )
    bench.write(
        {
            "images": len(images),
            "iterations": steps,
            "passes_seconds": passes,
            "best_batch": best,
            "attack_seconds": attacked,
            "ratio": attacked / passes[best],
            "asked": ASKED,
        }
    )


def stacked(images: Tensor) -> nn.Module:
    """Autoencoder and classifier of the paper; weights do not matter for the time."""
    shape = tuple(images.shape[1:])
    with seeded(0):
        autoencoder = AutoencoderSpec(kind="plain", network="ae-robustness", latent=128).build(shape)
        classifier = build_classifier("ae-robustness", shape, 10)
    return nn.Sequential(autoencoder, classifier).eval().requires_grad_(False)


def _passes(network: nn.Module, images: Tensor, size: int, share: int) -> None:
    for batch in images.split(size):
        for _ in range(share):
            inputs = batch.detach().requires_grad_()
            torch.autograd.grad(network(inputs).sum(), inputs)


if __name__ == "__main__":
    main()
