"""What `puvae` leaves open and validation images decide.

`weight`: of PuVAE's divergence, summed over the latent units; the paper's 0.1 means nothing without its
reduction. `decay`: L2 in the gradient of its training. `spread`: of the latents that Defense-GAN's descents
start from, where its paper draws as the generator was trained and its authors' code nearer to the middle.
`steps`: of the descents, which come nearer to the noise the longer they go on.

Everything is trained as the study trains its own, in the study's store, where the study finds what is taken.
Validation images are attacked by the paper's FGSM family, by one who does not know the defense: what keeps
most of them, clean ones counted as one attack more, is the one to take, of equals the largest. It trains for
long and is no part of `make bench`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.held_out import HELD, parser, search

from purifold.engine.compose import Question, compose
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.steps.system import System
from purifold.engine.store import Store
from purifold.papers.puvae_cells import SUBJECTS


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something to choose.

    Args:
        defense: Recipe, with the value where it takes it.
        values: To try.
        held: Validation images that decide.
        trained: The system as trained with a value that is not the recipe's.
    """

    defense: str
    values: tuple[float, ...]
    held: int = HELD
    trained: Callable[[System, float], System] = lambda system, value: system


def _decayed(system: System, value: float) -> System:
    step: Any = system.autoencoders[0]
    return replace(system, autoencoders=(replace(step, config=replace(step.config, weight_decay=value)),))


CHOICES: Mapping[str, Choice] = {
    "weight": Choice(defense="puvae:kl_weight={:g}", values=(0.01, 0.03, 0.1, 0.3, 1.0)),
    "decay": Choice(defense="puvae", values=(0.0, 1e-4, 3e-4, 1e-3), trained=_decayed),
    "spread": Choice(
        defense="defense-gan:precision=bfloat16,spread={:g}", values=(128**-0.5, 0.3, 1.0), held=100
    ),
    "steps": Choice(
        defense="defense-gan:precision=bfloat16,steps={:g}", values=(10, 25, 50, 100, 200), held=100
    ),
}


def main() -> None:
    """Puts the defense at each value before a classifier of the study's, and searches."""
    given = parser(__doc__, "results/puvae/CHOICE-DATA-CLASSIFIER.json")
    given.add_argument("--choice", default="weight", choices=list(CHOICES))
    given.add_argument("--classifier", default="A", help="the paper's letter of the one that is protected")
    given.add_argument("--values", type=float, nargs="+", help="to try")
    options = given.parse_args()
    choice = CHOICES[options.choice]
    values = options.values or choice.values
    subject = next(subject for subject in SUBJECTS[options.scale] if subject.data == options.data)
    here = Resources(data_root=options.data_root)
    question = Question(
        data=subject.data,
        defenses=tuple(choice.defense.format(value) for value in values),
        attacks=tuple(subject.attacks.values()),
        epsilons=(subject.epsilon,),
        classifier=subject.classifiers[options.classifier],
    )
    composed = compose(question, SCALES[options.scale], here)
    search(
        {
            value: choice.trained(experiment.system, value)
            for value, experiment in zip(values, composed, strict=True)
        },
        question.attacks,
        (subject.epsilon,),
        options.out or Path(f"results/puvae/{options.choice}-{options.data}-{options.classifier}.json"),
        store=Store(options.store),
        here=here,
        held=choice.held,
        scale=options.scale,
    )


if __name__ == "__main__":
    main()
