"""The weight of the divergence in VAEs of whole images, which `patch-vae` does not print.

A VAE for each weight is trained as the study trains its own, in the study's store, where the study finds the
one that is taken. Validation images are attacked by FGSM at the study's budgets, by one who does not know the
defense: the weight that keeps most of them, clean ones counted as one budget more, is the one to take, of
equals the largest. It trains for long and is no part of `make bench`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.choice import write_choice
from benchmarks.held_out import HELD, NORM, SEED, kept, trained

from purifold.engine.compose import Question, compose
from purifold.engine.scale import SCALES, Scale
from purifold.engine.step import Resources
from purifold.engine.steps.system import System
from purifold.engine.store import Store
from purifold.papers.patch_vae_cells import SUBJECTS, Subject
from purifold.report.lines import percent

BETAS = (1.0, 0.3, 0.1, 0.03, 0.01)
ATTACK = "fgsm"


def main() -> None:
    """Trains, counts, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist", help="a data set whose VAE sees whole images")
    parser.add_argument("--data-root", help="folder of data sets; else from the Hub")
    parser.add_argument("--betas", type=float, nargs="+", default=BETAS, help="the weights to try")
    parser.add_argument(
        "--encoded", type=int, help="images that a VAE sees; by itself as many as the study's"
    )
    parser.add_argument("--scale", default="cpu", choices=list(SCALES))
    parser.add_argument("--store", default="runs/store", help="the study's")
    parser.add_argument("--out", type=Path, help="JSON file; by itself results/patch-vae/beta-DATA.json")
    options = parser.parse_args()
    subject = next(subject for subject in SUBJECTS[options.scale] if subject.data == options.data)
    here = Resources(data_root=options.data_root)
    scale = subject.scaled(SCALES[options.scale])
    scale = replace(scale, encoded=options.encoded or scale.encoded)
    systems = _systems(subject, options.betas, scale, here)
    bench = trained(systems, Store(options.store), here)
    held = systems[0].data.part("validation", here, HELD)
    tried = {}
    for beta, system in zip(options.betas, systems, strict=True):
        tried[beta] = kept(system.build(bench), held, (ATTACK,), subject.epsilons)
        shares = ", ".join(f"{budget}: {percent(share)}" for budget, share in tried[beta].items())
        print(f"beta {beta:g}: percent kept by budget {shares}", flush=True)
    write_choice(
        options.out or Path(f"results/patch-vae/beta-{options.data}.json"),
        max(tried, key=lambda beta: (sum(share.successes for share in tried[beta].values()), beta)),
        tried,
        seed=SEED,
        attack=ATTACK,
        norm=NORM,
        images={"name": held.name, "count": len(held), "hash": held.hash},
        scale=options.scale,
        encoded=scale.encoded,
    )


def _systems(subject: Subject, betas: Sequence[float], scale: Scale, here: Resources) -> list[System]:
    """The study's classifier behind a VAE of each weight."""
    question = Question(
        data=subject.data,
        defenses=tuple(f"vae:beta={beta:g}" for beta in betas),
        attacks=(ATTACK,),
        epsilons=subject.epsilons,
        classifier=subject.classifier,
    )
    return [experiment.system for experiment in compose(question, scale, here)]


if __name__ == "__main__":
    main()
