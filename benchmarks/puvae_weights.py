"""The weight of the divergence in PuVAE: the paper's 0.1 means nothing without its reduction.

A conditional autoencoder for each weight, the divergence averaged over the latent units, is trained as the
study trains its own, in the study's store, where the study finds the one that is taken. Validation images are
attacked by the paper's FGSM family, by one who does not know the defense: the weight that keeps most of them,
clean ones counted as one attack more, is the one to take, of equals the largest. It trains for long and is no
part of `make bench`.
"""

import argparse
from pathlib import Path

from benchmarks.choice import write_choice
from benchmarks.held_out import HELD, NORM, SEED, kept, trained

from purifold.engine.compose import Question, compose
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.papers.puvae_cells import SUBJECTS
from purifold.report.lines import percent

WEIGHTS = (0.3, 1.0, 3.0, 10.0, 30.0)


def main() -> None:
    """Trains, counts, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--classifier", default="A", help="the paper's letter of the one that is protected")
    parser.add_argument("--data-root", help="folder of data sets; else from the Hub")
    parser.add_argument("--weights", type=float, nargs="+", default=WEIGHTS, help="to try")
    parser.add_argument("--scale", default="cpu", choices=list(SCALES))
    parser.add_argument("--store", default="runs/store", help="the study's")
    parser.add_argument("--out", type=Path, help="JSON file; by itself results/puvae/kl-DATA-CLASSIFIER.json")
    options = parser.parse_args()
    subject = next(subject for subject in SUBJECTS[options.scale] if subject.data == options.data)
    here = Resources(data_root=options.data_root)
    question = Question(
        data=subject.data,
        defenses=tuple(f"puvae:kl_weight={weight:g}" for weight in options.weights),
        attacks=tuple(subject.attacks.values()),
        epsilons=(subject.epsilon,),
        classifier=subject.classifiers[options.classifier],
    )
    systems = [experiment.system for experiment in compose(question, SCALES[options.scale], here)]
    bench = trained(systems, Store(options.store), here)
    held = systems[0].data.part("validation", here, HELD)
    tried = {}
    for weight, system in zip(options.weights, systems, strict=True):
        tried[weight] = kept(system.build(bench), held, question.attacks, (subject.epsilon,))
        shares = ", ".join(f"{name}: {percent(share)}" for name, share in tried[weight].items())
        print(f"kl_weight {weight:g}: percent kept by attack {shares}", flush=True)
    write_choice(
        options.out or Path(f"results/puvae/kl-{options.data}-{options.classifier}.json"),
        max(tried, key=lambda weight: (sum(share.successes for share in tried[weight].values()), weight)),
        tried,
        seed=SEED,
        norm=NORM,
        images={"name": held.name, "count": len(held), "hash": held.hash},
        scale=options.scale,
    )


if __name__ == "__main__":
    main()
