"""The weight of the divergence in VAEs of whole images, which `patch-vae` does not print.

A VAE for each weight is trained as the study trains its own, in the study's store, where the study finds the
one that is taken. Validation images are attacked by FGSM at the study's budgets, by one who does not know the
defense: the weight that keeps most of them, clean ones counted as one budget more, is the one to take, of
equals the largest. It trains for long and is no part of `make bench`.
"""

from pathlib import Path

from benchmarks.held_out import parser, search

from purifold.engine.compose import Question, compose
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.papers.patch_vae_cells import SUBJECTS

BETAS = (1.0, 0.3, 0.1, 0.03, 0.01)
ATTACK = "fgsm"


def main() -> None:
    """Puts VAEs of each weight before the study's classifier, and searches."""
    given = parser(__doc__, "results/patch-vae/beta-DATA.json")
    given.add_argument("--betas", type=float, nargs="+", default=BETAS, help="the weights to try")
    options = given.parse_args()
    subject = next(subject for subject in SUBJECTS[options.scale] if subject.data == options.data)
    scale = subject.scaled(SCALES[options.scale])
    here = Resources(data_root=options.data_root)
    question = Question(
        data=subject.data,
        defenses=tuple(f"vae:beta={beta:g}" for beta in options.betas),
        attacks=(ATTACK,),
        epsilons=subject.epsilons,
        classifier=subject.classifier,
    )
    systems = (experiment.system for experiment in compose(question, scale, here))
    search(
        dict(zip(options.betas, systems, strict=True)),
        question.attacks,
        subject.epsilons,
        options.out or Path(f"results/patch-vae/beta-{options.data}.json"),
        store=Store(options.store),
        here=here,
        scale=options.scale,
        encoded=scale.encoded,
    )


if __name__ == "__main__":
    main()
