"""The grid of `gm-vae`: which models on which data sets, what is submitted to them, by whom."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from purifold.attacks.descent import Descent
from purifold.engine.compose import Question, attack, compose
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.decisions import Decisions
from purifold.engine.steps.selection import Selection
from purifold.engine.steps.system import System
from purifold.threat import ThreatModel

BARE, REFUSING, ALWAYS, AGAIN = "none", "gm-vae", "gm-vae:reclassify=always", "gm-vae:reclassify=refusing"
EQUATION = "gm-vae:reclassify=always,objective=distance"
"""As the paper's equation 9 has it."""
EVERY = "gm-vae:reclassify=always,rule=all"
"""The decoder alone classifies, as the paper says it could."""
RATED = "gm-vae:rule=quantile"
"""Each detector refuses 1 % of clean images, about as many as the paper's: codes that have more far ones than
a Gaussian go beyond the chi-square value more often."""
PLAIN = "ae-detector"
"""What stands beside: the data set's usual classifier, and an autoencoder that doubts."""
PROTOCOL = "fgsm"
STRONGER = ("pgd:steps=40", "apgd:loss=margin,confidence=0")
"""The second gets past thresholds that the noise of steps of one length does not."""
DESCENTS = (
    Descent(steps=200, nearness=1.0),
    Descent(steps=200, nearness=0.1),
    Descent(steps=200, nearness=0.01, rate=0.05),
)
"""Of equation 10, whose weights, rate and stopping the paper leaves open."""
FREE = (Descent(steps=200, nearness=0.0), Descent(steps=400, nearness=0.0, rate=0.1))
"""Of equation 11."""


@final
@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of each is tried.

    Args:
        clean: Clean test images.
        attacked: Test images under the attack of the paper.
        known: Those under attackers who know the detectors.
        looked: Attacked images that are looked at again, by attackers who do not know the detectors.
        followed: The same by those who do.
        forged: Of each class, each forged to be every other.
        noise: Inputs of noise, and of another data set.
    """

    clean: int
    attacked: int
    known: int
    looked: int
    followed: int
    forged: int
    noise: int


SIZES: Mapping[str, Sizes] = {
    "smoke": Sizes(clean=200, attacked=100, known=20, looked=20, followed=5, forged=1, noise=50),
    "cpu": Sizes(clean=10_000, attacked=1_000, known=200, looked=1_000, followed=20, forged=2, noise=1_000),
    "paper": Sizes(
        clean=10_000, attacked=10_000, known=1_000, looked=1_000, followed=100, forged=100, noise=10_000
    ),
}


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set.

    Args:
        data: Its name.
        other: The data set that is submitted as showing none of its classes.
        classifiers: Models by what they learn from.
        epsilons: L-infinity budgets.
        lengths: L2 budgets.
        known: Test images under attackers who know the detectors, at most: large ones take long.
        audited: Of these the sanity checks try so many, at most.
    """

    data: str
    other: str
    classifiers: Mapping[str, str]
    epsilons: tuple[float, ...]
    lengths: tuple[float, ...]
    known: int | None = None
    audited: int | None = None


USUAL = "plain classifier"
SUPERVISED, SEMI = "supervised", "semi-supervised"
VARIABLE: Mapping[str, str] = {
    "variable entropy": "gm-vae:entropy=variable",
    "variable entropy, unit prior": "gm-vae:entropy=variable,variance=1",
}
"""Two readings of the paper's comparison, by the prior that variances are drawn to: the noise's own, or one
of variance 1; all else the same."""
PRINTED = (0.06, 0.12, 0.18, 0.24, 0.3)
BUDGETS: Mapping[str, Any] = {"epsilons": (0.06, 0.1, 0.12, 0.18, 0.2, 0.24, 0.3), "lengths": (1.0, 2.0, 3.0)}
BOTH = {SUPERVISED: "gm-vae", SEMI: "gm-vae:labelled=100"}
MNIST = Subject(
    data="mnist",
    other="fashion-mnist",
    classifiers={**BOTH, **VARIABLE},
    **BUDGETS,
)
FASHION = Subject(data="fashion-mnist", other="mnist", classifiers=BOTH, **BUDGETS)
CIFAR = Subject(
    data="cifar-10",
    other="fashion-mnist",
    classifiers={SUPERVISED: "gm-vae:units=32,variance=0.0001"},
    epsilons=(2 / 255, 8 / 255),
    lengths=(0.5, 1.0),
)
COIL = replace(
    CIFAR,
    data="coil-100",
    other="cifar-10",
    classifiers={SUPERVISED: "gm-vae:variance=0.0001"},
    epsilons=(8 / 255, 0.1),  # 8 / 255 leaves the bare encoder most images
)
DIGITS = Subject(
    data="digits",
    other="digits",
    classifiers={SUPERVISED: "gm-vae", SEMI: "gm-vae:labelled=10", **VARIABLE},
    epsilons=(0.06, 0.3),
    lengths=(1.0,),
)
SUBJECTS: Mapping[str, tuple[Subject, ...]] = {
    "smoke": (DIGITS,),
    "cpu": (MNIST, FASHION, CIFAR, replace(COIL, known=50, audited=16)),
    "paper": (MNIST, FASHION, CIFAR, COIL),
}


@final
@dataclass(frozen=True, kw_only=True)
class Cells:
    """What is known of one model on one data set.

    Args:
        subject: The data set.
        learning: What the model learns from.
        inside: By defense, under attackers inside L-infinity budgets.
        nearest: The system that refuses, under attackers inside L2 budgets.
        sizes: How much is tried.
    """

    subject: Subject
    learning: str
    inside: Mapping[str, Experiment]
    nearest: Experiment
    sizes: Sizes

    @property
    def title(self) -> str:
        """Data set and what the model learns from."""
        return f"{self.subject.data}, {self.learning}"

    @property
    def second(self) -> str:
        """The defense that refuses."""
        return REFUSING if REFUSING in self.inside else PLAIN

    @property
    def refusing(self) -> System:
        """The system that refuses."""
        return self.inside[self.second].system

    def answers(self, defense: str, craft: Craft | None = None) -> Decisions:
        """Of a system to clean images, or to those of a craft."""
        experiment = self.inside[defense]
        count = self.sizes.clean if craft is None else craft.count
        return Decisions(system=experiment.system, count=count, craft=craft, seed=experiment.seed)

    def followed(self, defense: str, epsilons: tuple[float, ...]) -> Experiment:
        """A system that always answers: few images, since each rejected one is a long descent."""
        whole = self.inside[defense]
        return replace(
            whole,
            count=self.sizes.followed,
            attacks=whole.attacks[-1:],
            epsilons=epsilons,
            audit=0,
        )

    @property
    def rated(self) -> Experiment:
        """The system with thresholds by a rate, at the largest budget."""
        whole = self.inside[RATED]
        return replace(whole, epsilons=whole.epsilons[-1:], audit=0)

    def craft(self, epsilon: float, count: int | None = None) -> Craft:
        """The paper's attack on the classifier alone."""
        return Craft.of(
            self.refusing,
            count or self.sizes.attacked,
            attack(PROTOCOL),
            ThreatModel("linf", epsilon),
            "oblivious",
            seed=self.inside[BARE].seed,
        )

    @property
    def printed(self) -> tuple[float, ...]:
        """The budgets that the paper prints."""
        return tuple(epsilon for epsilon in self.subject.epsilons if epsilon in PRINTED)

    def submitted(self, count: int) -> Mapping[str, Craft | None]:
        """Clean images, and those of the paper's attack at the budgets that it prints."""
        attacked = {f"{PROTOCOL} at {epsilon:g}": self.craft(epsilon, count) for epsilon in self.printed}
        return {"clean": None, **attacked}

    def ranking(self, epsilon: float | None) -> Selection:
        """Risk and coverage on clean images, or on those of the paper's attack."""
        if epsilon is None:
            return Selection(system=self.refusing, count=self.sizes.clean, crafts=())
        return Selection(system=self.refusing, count=self.sizes.attacked, crafts=(self.craft(epsilon),))

    def known_ranking(self, epsilon: float) -> Selection:
        """The same under all attacks, by attackers who know the detectors too."""
        whole, threat = self.inside[self.second], ThreatModel("linf", epsilon)
        crafts = (*whole.crafts("oblivious", threat), *whole.crafts("adaptive", threat))
        return Selection(system=self.refusing, count=whole.count, crafts=crafts)


def cells_of(subject: Subject, learning: str, scale: Scale, resources: Resources, seed: int) -> Cells:
    """The experiments of one model: as the subject says it learns, else the data set's usual classifier."""
    sizes, plain = SIZES[scale.name], learning not in subject.classifiers
    sizes = replace(sizes, known=min(sizes.known, subject.known or sizes.known))
    scale = replace(scale, audit=min(scale.audit, subject.audited or scale.audit))
    defenses = (BARE, PLAIN) if plain else (BARE, REFUSING, RATED, ALWAYS, EQUATION, AGAIN, EVERY)
    question = Question(
        data=subject.data,
        defenses=defenses,
        attacks=(PROTOCOL, "mim", *STRONGER),
        epsilons=subject.epsilons,
        classifier=subject.classifiers.get(learning),
        images=sizes.known,
        seed=seed,
    )
    nearest = replace(
        question, defenses=(defenses[1],), attacks=STRONGER, norm="l2", epsilons=subject.lengths
    )
    found = compose(question, scale, resources)
    return Cells(
        subject=subject,
        learning=learning,
        inside={name: replace(each, pictures=0) for name, each in zip(defenses, found, strict=True)},
        nearest=replace(compose(nearest, scale, resources)[0], pictures=0),
        sizes=sizes,
    )
