"""The weight of the divergence in VAEs of patches, which `patch-vae` does not print.

A VAE for each weight learns squares of NIPS 2017 images that the study does not attack. The last of those
images are held out, attacked by one who does not know the defense, and counted: the weight that keeps most of
them is the one to take, of equals the largest. It trains for long and is no part of `make bench`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from benchmarks.choice import write_choice
from torch import Tensor, nn

from purifold.autoencoders.patch_spec import PatchSpec
from purifold.data.load import load
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.defenses.recipe import parse
from purifold.engine.compose import attack
from purifold.engine.experiment import middle
from purifold.engine.scale import SCALES
from purifold.engine.steps.train_autoencoder import reconstruction
from purifold.evaluation.intervals import Proportion
from purifold.networks.published import published
from purifold.papers.patch_vae import DECISIVE
from purifold.papers.patch_vae_cells import NIPS
from purifold.randomness import seeded
from purifold.report.lines import percent
from purifold.threat import ThreatModel
from purifold.training.fit import fit

BETAS = (1.0, 0.1, 0.01, 0.001)
HELD = 20
"""Images that decide."""
PATCH = 16
SEED = 0


def main() -> None:
    """Trains, counts, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/patch-vae/beta.json"))
    parser.add_argument("--squares", type=int, default=400_000, help="that each VAE sees")
    options = parser.parse_args()
    photos = load(NIPS.data, options.data_root).test.rest(NIPS.images)
    learnt, held = photos.first(len(photos) - HELD), photos.select(slice(len(photos) - HELD, None))
    classifier = _classifier(photos, str(options.data_root))
    threat = ThreatModel("linf", middle(NIPS.epsilons))
    clean = held.images(slice(None))
    attacked = attack(DECISIVE)(classifier, clean, held.labels, threat, batch_size=4)
    budget = f"{threat.epsilon:g}"
    tried = {}
    for beta in BETAS:
        system = _system(beta, learnt, classifier, options.squares)
        tried[beta] = {"clean": _kept(system, clean, held), budget: _kept(system, attacked, held)}
        print(f"beta {beta:g}: {percent(tried[beta][budget])} % of attacked images kept", flush=True)
    write_choice(
        options.out,
        max(BETAS, key=lambda beta: (tried[beta][budget].successes, beta)),
        tried,
        seed=SEED,
        attack=DECISIVE,
        norm=threat.norm,
        images={"learnt": len(learnt), "held out": len(held), "hash": photos.hash},
        squares=options.squares,
    )


def _classifier(photos: Split, root: str) -> nn.Module:
    source = published(NIPS.classifier)
    network = source.build(photos.shape, len(photos.classes))
    network.load_state_dict(source.read(network, source.path(root)))
    return network.eval().requires_grad_(False)


def _system(beta: float, learnt: Split, classifier: nn.Module, squares: int) -> Defended:
    """The defense of the study at this weight, its VAE trained as the study trains it."""
    with seeded(SEED):
        autoencoder = PatchSpec(patch=PATCH, beta=beta).build(learnt.shape)
    scale = replace(SCALES["cpu"], encoded=squares, batch_size=NIPS.batch_size or SCALES["cpu"].batch_size)
    fit(autoencoder, learnt, reconstruction, scale.patches(len(learnt), PATCH), seed=SEED)
    return parse(f"patch-vae:stride={PATCH}").build(classifier, [autoencoder.requires_grad_(False)])


def _kept(system: Defended, images: Tensor, held: Split) -> Proportion:
    """Images that are classified right, one draw of each."""
    with seeded(SEED):
        return Proportion.of(system.predict(images, batch_size=4) == held.labels)


if __name__ == "__main__":
    main()
