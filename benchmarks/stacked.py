"""One cell of `ae-robustness`: Carlini-Wagner on a stacked network, beside the bare passes that it makes.

1,000 MNIST images, 100 iterations. The limit is the time of 100 forward and backward passes of autoencoder
and classifier alone, at the batch size at which they are fastest. Run by `make bench`.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from benchmarks.timing import machine, median_seconds, seconds
from torch import Tensor, nn

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.load import load
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/ae-robustness/bench-stacked.json"))
    options = parser.parse_args()
    images = load("mnist", options.data_root).test.first(IMAGES).images()
    network = stacked(images)
    labels = network(images).argmax(dim=1)  # every image must be attacked for all its iterations
    carlini_wagner = attack(ATTACKS[0])
    timed = {size: median_seconds(partial(_passes, network, images, size), repeats=3) for size in BATCHES}
    passes = {size: found * STEPS / SHARE for size, found in timed.items()}
    best = min(passes, key=lambda size: passes[size])
    attacked = seconds(
        lambda: carlini_wagner(network, images, labels, ThreatModel("linf", 0.1), batch_size=best)
    )
    ratio = attacked / passes[best]
    found = {
        "images": IMAGES,
        "iterations": STEPS,
        "passes_seconds": passes,
        "best_batch": best,
        "attack_seconds": attacked,
        "ratio": ratio,
        "machine": machine(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"bare passes {passes[best]:.2f} s at {best} images, attack {attacked:.2f} s: {ratio:.2f} times")
    print(f"asked: at most {ASKED} times; written to {options.out}")


def stacked(images: Tensor) -> nn.Module:
    """Autoencoder and classifier of the paper; weights do not matter for the time."""
    shape = tuple(images.shape[1:])
    with seeded(0):
        autoencoder = AutoencoderSpec(kind="plain", network="ae-robustness", latent=128).build(shape)
        classifier = build_classifier("ae-robustness", shape, 10)
    return nn.Sequential(autoencoder, classifier).eval().requires_grad_(False)


def _passes(network: nn.Module, images: Tensor, size: int) -> None:
    for batch in images.split(size):
        for _ in range(SHARE):
            inputs = batch.detach().requires_grad_()
            torch.autograd.grad(network(inputs).sum(), inputs)


if __name__ == "__main__":
    main()
