"""The grid of `vae-reconstruction`: which classifiers and autoencoders, on which data sets, attacked how."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

from purifold.engine.compose import Question, compose
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.codes import Codes

OTHERS = ("ae", "dae", "cae")
PURIFIERS = (*OTHERS, "vae")
BARE = "none"
ATTACKS = ("fgsm", "i-fgsm", "cw-l2:search=bisect,search_steps=1,initial_c=1", "pgd:steps=20")
AVERAGED = ("pgd",)
SMALL = 32
AUDITED = (BARE, "vae")
"""What goes through all sanity checks; the others through those of their outcomes."""


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set.

    Args:
        data: Its name.
        classifiers: Networks that are attacked; the first is that of Gu and Rigazio, an MLP.
        epsilons: L-infinity budgets, ascending; at the last one no bare classifier stands.
        latent: Latent units of the purifiers, one of `latents`.
        latents: Latent sizes of the figure of active units, ascending.
        images: Test images attacked.
        seen: Training images a classifier sees; None: the scale's.
        batch_size: Images an update of an autoencoder; None: the scale's.
        settled: Training images that the VAEs of the figure see, in batches of `SMALL`: units without use
            fall silent late. None: as many as the other autoencoders.
    """

    data: str
    classifiers: tuple[str, ...]
    epsilons: tuple[float, ...]
    latent: int
    latents: tuple[int, ...]
    images: int
    seen: int | None = None
    batch_size: int | None = None
    settled: int | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Grid:
    """How fine the study is.

    Args:
        subjects: Data sets.
        encoded: Training images an autoencoder sees; None: the scale's.
        audit: Images of the sanity checks of the bare classifiers and of VAEs; None: the scale's.
    """

    subjects: tuple[Subject, ...]
    encoded: int | None = None
    audit: int | None = None


LATENTS = (8, 16, 32, 64, 128, 256)
FEWER = (8, 32, 128, 256)
MNIST = Subject(
    data="mnist",
    classifiers=("mlp", "patch-vae-mnist", "ae-robustness"),
    epsilons=(0.1, 0.3),
    latent=64,
    latents=LATENTS,
    images=1_000,
)
CIFAR = Subject(
    data="cifar-10",
    classifiers=("mlp", "patch-vae-cifar", "resnet"),
    epsilons=(4 / 255, 16 / 255),
    latent=256,
    latents=LATENTS,
    images=1_000,
)
DIGITS = Subject(
    data="digits", classifiers=("mlp", "small-cnn"), epsilons=(0.3,), latent=16, latents=(8, 16), images=40
)
GRIDS: Mapping[str, Grid] = {
    "smoke": Grid(subjects=(DIGITS,), audit=0),
    "cpu": Grid(
        subjects=(
            replace(MNIST, images=200, seen=180_000, settled=480_000),
            replace(CIFAR, images=100, seen=200_000, batch_size=SMALL, latents=FEWER),
        ),
        encoded=80_000,
        audit=16,
    ),
    "paper": Grid(subjects=(MNIST, CIFAR)),
}


@final
@dataclass(frozen=True, kw_only=True)
class Cells:
    """The experiments of one data set, by classifier and purifier, and autoencoders of every latent size."""

    subject: Subject
    systems: Mapping[tuple[str, str], Experiment]
    codes: Mapping[tuple[str, int], Codes]


def cells_of(subject: Subject, grid: Grid, scale: Scale, resources: Resources, seed: int) -> Cells:
    """The experiments and autoencoders of one data set."""
    scale = replace(
        scale,
        images=subject.images,
        seen=subject.seen or scale.seen,
        encoded=grid.encoded or scale.encoded,
        batch_size=subject.batch_size or scale.batch_size,
        audit=scale.audit if grid.audit is None else grid.audit,
    )
    question = Question(
        data=subject.data,
        defenses=(BARE, *PURIFIERS),
        attacks=ATTACKS,
        epsilons=subject.epsilons,
        autoencoder="ae-robustness",
        latent=subject.latent,
        seed=seed,
    )
    found = {
        network: compose(replace(question, classifier=network), scale, resources)
        for network in subject.classifiers
    }
    trained = {network: experiments[0].system.classifier for network, experiments in found.items()}
    systems = {
        (network, experiment.system.defense): replace(
            experiment,
            knowledge=("oblivious", "transfer", "adaptive"),
            substitutes=tuple(other for source, other in trained.items() if source != network),
            averaged=AVERAGED,
            audit=experiment.audit if experiment.system.defense in AUDITED else 0,
            pictures=0,  # the page shows tables
        )
        for network, experiments in found.items()
        for experiment in experiments
    }
    return Cells(subject=subject, systems=systems, codes=_codes(subject, question, scale, resources))


def _codes(
    subject: Subject, question: Question, scale: Scale, resources: Resources
) -> dict[tuple[str, int], Codes]:
    settled = replace(scale, encoded=subject.settled, batch_size=SMALL) if subject.settled else scale
    return {
        (experiment.system.defense, latent): Codes(autoencoder=experiment.system.autoencoders[0])
        for latent in subject.latents
        for defenses, length in ((OTHERS, scale), (("vae",), settled))
        for experiment in compose(replace(question, defenses=defenses, latent=latent), length, resources)
    }
