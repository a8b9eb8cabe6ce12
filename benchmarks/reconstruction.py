"""Throughput of the MNIST VAE as a purifier, beside its convolutions called bare on ready inputs.

Run by `make bench`; the aim is at least 60 % of the bare convolutions' throughput.
"""

from collections.abc import Callable

import torch
from benchmarks.command import start
from benchmarks.timing import median_seconds
from torch import Tensor, nn

from purifold.autoencoders.base import Autoencoder
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.defenses.reconstruction import Reconstruction
from purifold.networks.upsampled import UpsampledConv
from purifold.randomness import seeded

BATCHES = (64, 256, 1024)
AIM = 0.6
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d, UpsampledConv)


def main() -> None:
    """Measures every batch size and writes the best of each."""
    bench = start(__doc__, "results/foundation/bench-reconstruction.json")
    batches, repeats = bench.size(BATCHES, (2,)), bench.size(15, 1)
    with seeded(0):
        spec = AutoencoderSpec(kind="variational", network="patch-vae-mnist", latent=256)
        autoencoder = spec.build((1, 28, 28)).eval()
    images = bench.split("mnist", "test", max(batches)).images()
    measured = {batch: _measure(autoencoder, images[:batch], repeats) for batch in batches}
    best = {kind: max(rates[kind] for rates in measured.values()) for kind in ("purifier", "sampled", "bare")}
    bench.write(
        {
            "images_per_second": measured,
            "best": best,
            "ratio": best["purifier"] / best["bare"],
            "ratio_sampled": best["sampled"] / best["bare"],
            "aim": AIM,
        }
    )


@torch.no_grad()
def _measure(autoencoder: Autoencoder, images: Tensor, repeats: int) -> dict[str, float]:
    """Images a second of the purifier (sampling off and on) and of its convolutions."""
    calls: dict[str, Callable[[], object]] = {
        "purifier": lambda: Reconstruction(autoencoder).eval()(images),
        "sampled": lambda: Reconstruction(autoencoder, latent_scale=1.0).eval()(images),
        "bare": _bare(autoencoder, images),
    }
    return {name: len(images) / median_seconds(call, repeats) for name, call in calls.items()}


def _bare(autoencoder: Autoencoder, images: Tensor) -> Callable[[], None]:
    """Calls each convolution on the input that it has inside the autoencoder."""
    inputs: list[tuple[nn.Module, Tensor]] = []  # the one inside an `UpsampledConv` is never called
    layers = [part for part in autoencoder.modules() if isinstance(part, CONVOLUTIONS)]
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
