"""Throughput of the MNIST VAE as a purifier, beside its convolutions called bare on ready inputs.

Run by `make bench`; the aim is at least 60 % of the bare convolutions' throughput.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.timing import machine, median_seconds
from torch import Tensor, nn

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.load import load
from purifold.defenses.reconstruction import Reconstruction
from purifold.randomness import seeded

BATCHES = (64, 256, 1024)
AIM = 0.6


def main() -> None:
    """Measures every batch size and writes the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/foundation/bench-reconstruction.json"))
    options = parser.parse_args()
    with seeded(0):
        spec = AutoencoderSpec(kind="variational", network="patch-vae-mnist", latent=256)
        autoencoder = spec.build((1, 28, 28)).eval()
    images = load("mnist", options.data_root).test.first(max(BATCHES)).images()
    measured = {batch: _measure(autoencoder, images[:batch]) for batch in BATCHES}
    best = {kind: max(rates[kind] for rates in measured.values()) for kind in ("purifier", "sampled", "bare")}
    record = {
        "images_per_second": measured,
        "best": best,
        "ratio": best["purifier"] / best["bare"],
        "ratio_sampled": best["sampled"] / best["bare"],
        "aim": AIM,
        "machine": machine(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


@torch.no_grad()
def _measure(autoencoder: Autoencoder, images: Tensor) -> dict[str, float]:
    """Images a second of the purifier (sampling off and on) and of its convolutions."""
    calls: dict[str, Callable[[], object]] = {
        "purifier": lambda: Reconstruction(autoencoder).eval()(images),
        "sampled": lambda: Reconstruction(autoencoder, latent_scale=1.0).eval()(images),
        "bare": _bare(autoencoder, images),
    }
    return {name: len(images) / median_seconds(call) for name, call in calls.items()}


def _bare(autoencoder: Autoencoder, images: Tensor) -> Callable[[], None]:
    """Calls each convolution on the input that it has inside the autoencoder."""
    inputs: list[tuple[nn.Module, Tensor]] = []
    layers = [part for part in autoencoder.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [
        layer.register_forward_hook(lambda layer, given, _: inputs.append((layer, given[0])))
        for layer in layers
    ]
    autoencoder.reconstruct(images)
    for hook in hooks:
        hook.remove()

    def call() -> None:
        for layer, given in inputs:
            layer(given)

    return call


if __name__ == "__main__":
    main()
