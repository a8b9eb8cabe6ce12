"""What a Gaussian-mixture VAE's decisions and second looks cost on MNIST.

One process. The weights are untrained, and no second look ends before its last step: the time is the longest.
Run by `make bench`.
"""

import torch
from benchmarks.command import start
from benchmarks.timing import median_seconds

from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.defenses import latent_search
from purifold.defenses.latent_search import LatentSearch
from purifold.defenses.recipe import parse
from purifold.randomness import seeded

IMAGES = 256
REJECTED = 181
"""Clean test images that the paper looks at again."""
ASKED_SECONDS, ASKED_RATIO = 30.0, 1.2


def main() -> None:
    """Times, writes the numbers, and prints them beside what was asked."""
    bench = start(__doc__, "results/gm-vae/bench-gm-vae.json")
    validation = bench.split("mnist", "validation", bench.size(10_000, 1_000))
    with seeded(0):
        autoencoder = MixtureSpec().build(validation.shape, 10).eval().requires_grad_(False)
    system = parse("gm-vae").build(autoencoder, (), validation)
    images = bench.split("mnist", "test", bench.size(IMAGES, 2)).images()
    rejected, search = images[:REJECTED], LatentSearch(autoencoder, steps=bench.size(100, 2))
    latent_search.PATIENCE = search.steps

    @torch.no_grad()
    def bare() -> torch.Tensor:
        return autoencoder.decoder(autoencoder.encoder(images))

    found = {
        "images": len(images),
        "encoder_and_decoder": median_seconds(bare, bench.size(15, 1)),
        "decision": median_seconds(lambda: system.predict(images), bench.size(15, 1)),
        "looked_again": len(rejected),
        "second_look": median_seconds(lambda: search(rejected), bench.size(3, 1)),
    }
    bench.write(found)
    ratio = found["decision"] / found["encoder_and_decoder"]
    print(f"a decision over the bare encoder and decoder: {ratio:.2f} (asked: {ASKED_RATIO} at most)")
    print(f"{len(rejected)} second looks: {found['second_look']:.1f} s (asked: {ASKED_SECONDS:g} at most)")


if __name__ == "__main__":
    main()
