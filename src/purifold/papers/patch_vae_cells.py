"""The grid of `patch-vae`: which defenses of which classifiers, on which data sets, attacked how."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import final

from purifold.engine.compose import Question, compose
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources

BARE, FILTER, ENSEMBLE = "none", "filter alone", "ensemble"
ATTACKS = ("fgsm", "i-fgsm")
AVERAGED = ("i-fgsm",)
"""Attacks whose gradients are averaged over draws, too."""
AUDITED = (BARE, FILTER, "vae", "vae-16-stride-16")
"""What goes through all sanity checks; the others through those of their outcomes."""
JPEGS = {f"jpeg-{quality}": f"jpeg:quality={quality}" for quality in (10, 23, 50, 75)}
PLAIN = {BARE: BARE, **JPEGS, "blur": "blur", FILTER: "smoothing"}
PATCHES = {
    "vae-16-stride-16": "patch-vae:patch=16,stride=16",
    "vae-32-stride-32": "patch-vae:patch=32,stride=32",
    "vae-64-stride-32": "patch-vae:patch=64,stride=32,latent=1024",
    "vae-64-stride-64": "patch-vae:patch=64,stride=64,latent=1024",
    ENSEMBLE: "patch-ensemble",
    "vae-16-stride-16, no filter": "patch-vae:patch=16,stride=16,smoothing=none",
}


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set.

    Args:
        data: Its name.
        tables: By attack, the table that shows it.
        classifier: Network that is attacked.
        defenses: Recipes, by the name in the tables; those that the paper has under the paper's.
        epsilons: L-infinity budgets, ascending; near those whose differences the paper prints.
        images: Test images attacked.
        wide: Those that attackers who do not know the defense try beside; 0: no others.
        few: By the name of a defense that is slow to attack: the first images, which who knows it attacks
            with sampling off alone, while who does not attacks all of `images`.
        unfiltered: A defense with the filter and the same without it, where there is such a pair.
        encoded: Images or squares that a VAE sees; None: the scale's.
        batch_size: Of a VAE's updates; None: the scale's.
        draws: Predictions of each image; None: the scale's.
        eot: Draws that gradients are averaged over; None: the scale's.
        audit: Images of each sanity check; None: the scale's.
        pictures: In the gallery of the first VAE.
    """

    data: str
    tables: Mapping[str, str]
    classifier: str
    defenses: Mapping[str, str]
    epsilons: tuple[float, ...]
    images: int
    wide: int = 0
    few: Mapping[str, int] = field(default_factory=dict)
    unfiltered: tuple[str, str] | None = None
    encoded: int | None = None
    batch_size: int | None = None
    draws: int | None = None
    eot: int | None = None
    audit: int | None = None
    pictures: int = 0

    def scaled(self, scale: Scale) -> Scale:
        """The scale with what this data set has its own way."""
        return replace(
            scale,
            encoded=self.encoded or scale.encoded,
            batch_size=self.batch_size or scale.batch_size,
            draws=self.draws or scale.draws,
            eot=self.eot or scale.eot,
            audit=self.audit or scale.audit,
        )


MNIST = Subject(
    data="mnist",
    tables={"fgsm": "table-4"},
    classifier="patch-vae-mnist",
    defenses={**PLAIN, "vae": "vae:beta=0.01"},
    epsilons=(0.005, 0.027, 0.05, 0.07, 0.09, 0.12),
    images=10_000,
)
CIFAR = replace(
    MNIST,
    data="cifar-10",
    tables={"fgsm": "table-5"},
    classifier="patch-vae-cifar",
    defenses={**PLAIN, "vae": "vae:beta=0.001"},
    epsilons=(0.005, 0.032, 0.06, 0.087, 0.102),
)
NIPS = Subject(
    data="nips-2017",
    tables={"fgsm": "table-6", "i-fgsm": "table-7"},
    classifier="mobilenet-v2",
    defenses={**PLAIN, **PATCHES},
    epsilons=(0.005, 0.01, 0.02, 0.04, 0.06, 0.09),
    images=100,
    unfiltered=("vae-16-stride-16", "vae-16-stride-16, no filter"),
    batch_size=64,
    audit=16,
    pictures=4,
)
SLOW = {
    "vae-32-stride-32": 100,
    "vae-64-stride-32": 20,
    "vae-64-stride-64": 20,
    ENSEMBLE: 20,
    "vae-16-stride-16, no filter": 100,
}
"""Images for those who know a defense of large images; the draws of one alone are averaged."""
DIGITS = Subject(
    data="digits",
    tables={"fgsm": "table-4"},
    classifier="small-cnn",
    defenses={BARE: BARE, "jpeg-23": JPEGS["jpeg-23"], FILTER: "smoothing:size=3", "vae": "vae:beta=0.1"},
    epsilons=(0.05, 0.2),
    images=40,
    draws=3,
    eot=2,
)
TILED = replace(
    DIGITS,
    tables={"fgsm": "table-6", "i-fgsm": "table-7"},
    classifier="mlp",
    defenses={
        BARE: BARE,
        FILTER: "smoothing:size=3",
        "vae-16-stride-16": "patch-vae:patch=4,stride=2,latent=8",
        "vae-16-stride-16, no filter": "patch-vae:patch=4,stride=2,latent=8,smoothing=none",
    },
    unfiltered=("vae-16-stride-16", "vae-16-stride-16, no filter"),
    encoded=20_000,
    pictures=4,
)
SUBJECTS: Mapping[str, tuple[Subject, ...]] = {
    "smoke": (DIGITS, TILED),
    "cpu": (
        replace(MNIST, images=1_000, wide=10_000),
        replace(CIFAR, images=1_000),
        replace(NIPS, epsilons=(0.005, 0.02, 0.06), few=SLOW, encoded=400_000, draws=1, eot=2, audit=4),
    ),
    "paper": (MNIST, CIFAR, NIPS),
}


@final
@dataclass(frozen=True, kw_only=True)
class Cells:
    """The experiments of one data set, by the defense's name in our tables."""

    subject: Subject
    systems: Mapping[str, Experiment]


def cells_of(subject: Subject, scale: Scale, resources: Resources, seed: int) -> Cells:
    """The experiments of one data set."""
    scale = subject.scaled(scale)
    question = Question(
        data=subject.data,
        defenses=tuple(subject.defenses.values()),
        attacks=ATTACKS,
        epsilons=subject.epsilons,
        images=subject.images,
        classifier=subject.classifier,
        seed=seed,
    )
    composed = (
        replace(experiment, wide=subject.wide, averaged=AVERAGED)
        for experiment in compose(question, scale, resources)
    )
    found = zip(subject.defenses, composed, strict=True)
    shown = next(name for name in subject.defenses if name.startswith("vae"))
    return Cells(
        subject=subject,
        systems={
            name: replace(
                _slowly(experiment, subject.few[name]) if name in subject.few else experiment,
                audit=experiment.audit if name in AUDITED else 0,
                pictures=subject.pictures if name == shown else 0,
            )
            for name, experiment in found
        },
    )


def _slowly(experiment: Experiment, few: int) -> Experiment:
    """The same with this many images for attackers who know the defense; the others still try all."""
    wide = experiment.count if few < experiment.count else 0
    return replace(experiment, count=few, wide=wide, averaged=())
