"""What a Gaussian-mixture VAE's decisions and second looks cost on MNIST.

One process; the weights are untrained, so that no second look ends before its last step because it has found
the image: the time is the longest. Run by `make bench`.
"""

import argparse
import json
from pathlib import Path

import torch
from benchmarks.timing import machine, median_seconds

from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.load import load
from purifold.defenses.latent_search import LatentSearch
from purifold.defenses.recipe import parse
from purifold.engine.memory import ask_for_huge_pages
from purifold.randomness import seeded

IMAGES = 256
REJECTED = 181
"""Clean test images that the paper looks at again."""
ASKED_SECONDS, ASKED_RATIO = 30.0, 1.2


def main() -> None:
    """Times, writes the numbers, and prints them beside what was asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/gm-vae"))
    options = parser.parse_args()
    ask_for_huge_pages()
    data = load("mnist", options.data_root)
    with seeded(0):
        autoencoder = MixtureSpec().build(data.shape, data.classes).eval().requires_grad_(False)
    system = parse("gm-vae").build(autoencoder, (), data.validation)
    images = data.test.first(IMAGES).images()

    @torch.no_grad()
    def bare() -> torch.Tensor:
        return autoencoder.decoder(autoencoder.encoder(images))

    found = {
        "images": IMAGES,
        "encoder_and_decoder": median_seconds(bare),
        "decision": median_seconds(lambda: system.predict(images)),
        "looked_again": REJECTED,
        "second_look": median_seconds(lambda: LatentSearch(autoencoder)(images[:REJECTED]), repeats=3),
        "machine": machine(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench-gm-vae.json").write_text(json.dumps(found, indent=1) + "\n")
    ratio = found["decision"] / found["encoder_and_decoder"]
    print(f"a decision over the bare encoder and decoder: {ratio:.2f} (asked: {ASKED_RATIO} at most)")
    print(f"{REJECTED} second looks: {found['second_look']:.1f} s (asked: {ASKED_SECONDS:g} at most)")


if __name__ == "__main__":
    main()
