"""The grid of `puvae`: which classifiers and defenses, on which data sets, attacked how."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from purifold.engine.compose import Question, attack, compose
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.pace import Pace
from purifold.engine.steps.system import System
from purifold.threat import ThreatModel

BARE, SEARCHING, STOPPED = "none", "defense-gan", "defense-gan, stopped early"
SEARCHES = (SEARCHING, STOPPED)
"""Defense-GAN with all its steps, and with as few as validation images want (`benchmarks/puvae_choices.py`):
a generator that comes near to anything comes near to the noise in the end."""
STRONGEST = "pgd:steps=20"
PATIENT = "apgd:loss=margin,confidence=0"
"""Gets past detectors, which see the noise that steps of one length leave. Defense-GAN, which has none, would
descend for days."""
PICTURES = 10
"""Images in the gallery of PuVAE."""
UNBOUNDED = "cw-l2:steps=100,search_steps=3"
BRIEF = f"{UNBOUNDED},descents=1"
"""The same behind Defense-GAN: a second descent gets hardly nearer, and each step is a descent there."""
AVERAGED = ("pgd",)


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set.

    Args:
        data: Its name.
        classifiers: Networks that are attacked, by the paper's letter.
        epsilon: L-infinity budget of the FGSM family.
        noise_share: Of RAND+FGSM's random step in it.
        bounded: L2 budget of CW-L2 where the attacker knows the defense: without one it always wins.
        magnet: The recipe of MagNet for these images.
        rejected: Share of clean images that each of its detectors may turn away.
        search: The recipe of Defense-GAN.
        stopped: The same with fewer steps.
        pgd_trained: Whether adversarial training with PGD stands beside the paper's.
        images: Test images by attackers who do not know the defense, and by those who do.
        searched: The same behind Defense-GAN, which descends for each; last, for CW-L2 by those who know it.
    """

    data: str
    classifiers: Mapping[str, str]
    epsilon: float
    noise_share: float
    bounded: float
    magnet: str = "magnet"
    rejected: float = 0.001
    search: str = "defense-gan:precision=bfloat16"
    stopped: str = "defense-gan:steps=50,precision=bfloat16"
    pgd_trained: bool = True
    images: tuple[int, int]
    searched: tuple[int, int, int]

    @property
    def defenses(self) -> dict[str, str]:
        """Recipes, by the name in our tables; those that the paper has under the paper's."""
        by_pgd = {"adversarial-training, PGD": f"adversarial-pgd:epsilon={self.epsilon}"}
        return {
            BARE: BARE,
            "adversarial-training": f"adversarial-fgsm:epsilon={self.epsilon}",
            **(by_pgd if self.pgd_trained else {}),
            "magnet": f"{self.magnet}:detect=false",
            "magnet, with detectors": f"{self.magnet}:false_positive_rate={self.rejected}",
            SEARCHING: self.search,
            STOPPED: self.stopped,
            "puvae": "puvae",
        }

    @property
    def attacks(self) -> dict[str, str]:
        """The paper's attacks inside the budget, by their name in our outcomes."""
        return {
            "fgsm-targeted": "fgsm:targeted=true",
            "i-fgsm-targeted": "i-fgsm:targeted=true",
            "rand-fgsm-targeted": f"rand-fgsm:targeted=true,noise_share={self.noise_share}",
        }


A_AND_B = {"A": "puvae-a", "B": "puvae-b"}
MNIST = Subject(
    data="mnist",
    classifiers=A_AND_B,
    epsilon=0.3,
    noise_share=1 / 6,
    bounded=2.0,
    images=(10_000, 1_000),
    searched=(1_000, 200, 100),
)
FASHION = replace(MNIST, data="fashion-mnist", bounded=1.0)
CIFAR = Subject(
    data="cifar-10",
    classifiers={"C": "puvae-c", "D": "resnet"},
    epsilon=0.06,
    noise_share=1 / 12,
    bounded=0.5,
    magnet="magnet-color",
    rejected=0.005,
    images=(10_000, 1_000),
    searched=(1_000, 200, 100),
)
DIGITS = Subject(
    data="digits",
    classifiers={"A": "small-cnn"},
    epsilon=0.3,
    noise_share=1 / 6,
    bounded=1.0,
    rejected=0.02,
    search="defense-gan:steps=20,restarts=2,precision=bfloat16",
    stopped="defense-gan:steps=5,restarts=2,precision=bfloat16",
    images=(40, 20),
    searched=(8, 4, 2),
)
FEWER: Mapping[str, Any] = {"images": (1_000, 200), "searched": (100, 50, 20), "pgd_trained": False}
SUBJECTS: Mapping[str, tuple[Subject, ...]] = {
    "smoke": (DIGITS,),
    "cpu": (
        replace(MNIST, **FEWER),
        replace(FASHION, **FEWER),
        replace(CIFAR, **FEWER, classifiers={"C": "puvae-c"}),
    ),
    "paper": (MNIST, FASHION, CIFAR),
}


@final
@dataclass(frozen=True, kw_only=True)
class Cells:
    """What is known of one data set and classifier, by the defense's name in our tables.

    Args:
        subject: The data set.
        letter: The classifier.
        paces: By the paper's attackers, who do not know the defense.
        inside: By attackers who do, inside the L-infinity budget.
        nearest: The same by CW-L2, inside an L2 budget.
    """

    subject: Subject
    letter: str
    paces: Mapping[str, Pace]
    inside: Mapping[str, Experiment]
    nearest: Mapping[str, Experiment]


def cells_of(subject: Subject, letter: str, scale: Scale, resources: Resources, seed: int) -> Cells:
    """The experiments of one data set and classifier."""
    question = Question(
        data=subject.data,
        defenses=tuple(subject.defenses.values()),
        attacks=(*subject.attacks.values(), STRONGEST, PATIENT),
        epsilons=(subject.epsilon,),
        classifier=subject.classifiers[letter],
        images=subject.images[1],
        seed=seed,
    )
    nearest = replace(question, attacks=(UNBOUNDED,), norm="l2", epsilons=(subject.bounded,))
    inside = dict(_by_name(question, subject, scale, resources))
    return Cells(
        subject=subject,
        letter=letter,
        paces={
            name: paced(
                subject,
                experiment.system,
                (subject.searched if name in SEARCHES else subject.images)[0],
                seed,
            )
            for name, experiment in inside.items()
        },
        inside=inside,
        nearest={
            name: replace(experiment, knowledge=("adaptive",), averaged=(), audit=0)
            for name, experiment in _by_name(nearest, subject, scale, resources)
        },
    )


def paced(subject: Subject, system: System, count: int, seed: int) -> Pace:
    """Answers of a system to the paper's attacks on its classifier."""
    inside, unbounded = ThreatModel("linf", subject.epsilon), ThreatModel("l2", math.inf)
    attacks = [(attack(text), inside) for text in subject.attacks.values()]
    crafts = tuple(
        Craft.of(system, count, found, threat, "oblivious", seed=seed)
        for found, threat in (*attacks, (attack(UNBOUNDED), unbounded))
    )
    return Pace(system=system, count=count, crafts=crafts, seed=seed)


def _by_name(
    question: Question, subject: Subject, scale: Scale, resources: Resources
) -> Iterator[tuple[str, Experiment]]:
    for name, experiment in zip(subject.defenses, compose(question, scale, resources), strict=True):
        found = _searched(experiment, subject) if name in SEARCHES else _read(experiment)
        shown = name == "puvae" and experiment.norm == "linf"
        yield name, replace(found, pictures=PICTURES if shown else 0)


def _read(experiment: Experiment) -> Experiment:
    """PGD alone is averaged over draws."""
    return replace(experiment, averaged=AVERAGED)


def _searched(experiment: Experiment, subject: Subject) -> Experiment:
    """Fewer images, one draw, attackers who search less, no audit: each prediction is a long descent."""
    _, bounded, nearest = subject.searched
    count, attacks = bounded, tuple(found for found in experiment.attacks if found != attack(PATIENT))
    if experiment.norm == "l2":
        count, attacks = nearest, (attack(BRIEF),)
    return replace(
        experiment,
        count=min(experiment.count, count),
        attacks=attacks,
        knowledge=("adaptive",),
        draws=1,
        averaged=(),
        through=("bpda", "unrolled"),
        audit=0,
    )
