"""The weight of the divergence in PuVAE: the paper's 0.1 means nothing without its reduction.

A conditional autoencoder for each weight, the divergence averaged over the latent units, is trained as the
study trains its own, in the study's store, where the study finds the one that is taken. Validation images are
attacked by the paper's FGSM family, by one who does not know the defense: the weight that keeps most of them,
clean ones counted as one attack more, is the one to take, of equals the largest. It trains for long and is no
part of `make bench`.
"""

from pathlib import Path

from benchmarks.held_out import parser, search

from purifold.engine.compose import Question, compose
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.papers.puvae_cells import SUBJECTS

WEIGHTS = (0.3, 1.0, 3.0, 10.0, 30.0)


def main() -> None:
    """Puts autoencoders of each weight before a classifier of the study's, and searches."""
    given = parser(__doc__, "results/puvae/kl-DATA-CLASSIFIER.json")
    given.add_argument("--classifier", default="A", help="the paper's letter of the one that is protected")
    given.add_argument("--weights", type=float, nargs="+", default=WEIGHTS, help="to try")
    options = given.parse_args()
    subject = next(subject for subject in SUBJECTS[options.scale] if subject.data == options.data)
    here = Resources(data_root=options.data_root)
    question = Question(
        data=subject.data,
        defenses=tuple(f"puvae:kl_weight={weight:g}" for weight in options.weights),
        attacks=tuple(subject.attacks.values()),
        epsilons=(subject.epsilon,),
        classifier=subject.classifiers[options.classifier],
    )
    systems = (experiment.system for experiment in compose(question, SCALES[options.scale], here))
    search(
        dict(zip(options.weights, systems, strict=True)),
        question.attacks,
        (subject.epsilon,),
        options.out or Path(f"results/puvae/kl-{options.data}-{options.classifier}.json"),
        store=Store(options.store),
        here=here,
        scale=options.scale,
    )


if __name__ == "__main__":
    main()
