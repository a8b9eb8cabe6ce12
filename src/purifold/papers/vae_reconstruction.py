"""VAE against denoising and contractive autoencoders: `vae-reconstruction`.

Only its introduction is at hand, which asks whether a VAE, whose KL term keeps no more latent units than the
problem needs, reconstructs adversarial images better than the autoencoders of Gu and Rigazio (2014,
arXiv:1412.5068). So the set-up is ours: images made on the classifier, on another one, and on the stacked
network; units that stay active at each latent size; and which classifier's images fool which other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from purifold.engine.compose import Question, compose
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.codes import Codes
from purifold.papers.base import Paper, Study
from purifold.papers.claim import Claim, Contrast, Ratio
from purifold.papers.exhibit import OriginTable, Section, TransferTable, UnitsAt, UnitsFigure, UnitsPanel

ARTICLES = {"ae": "an", "dae": "a", "cae": "a"}
OTHERS = tuple(ARTICLES)
PURIFIERS = (*OTHERS, "vae")
BARE = "none"
ATTACKS = ("fgsm", "i-fgsm", "cw-l2:search=bisect,search_steps=1,initial_c=1", "pgd:steps=20")
PROTOCOL = "cw-l2"
AVERAGED = ("pgd",)
SMALL = 32
AUDITED = (BARE, "vae")
"""What goes through all sanity checks; the others through those of their outcomes."""
LEVEL, GROWING = 1.1, 1.5
"""Ratio of the active units at two latent sizes, one twice the other: at most that, they level off; from this
on they grow."""


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set.

    Args:
        data: Its name.
        classifiers: Networks that are attacked; the first is that of Gu and Rigazio, an MLP.
        epsilons: L-infinity budgets, ascending; at the last one no bare classifier stands.
        latent: Latent units of the purifiers, one of `Grid.latents`.
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
        latents: Latent sizes of the figure of active units, ascending.
        encoded: Training images an autoencoder sees; None: the scale's.
        audit: Images of the sanity checks of the bare classifiers and of VAEs; None: the scale's.
    """

    subjects: tuple[Subject, ...]
    latents: tuple[int, ...]
    encoded: int | None = None
    audit: int | None = None


LATENTS = (8, 16, 32, 64, 128, 256)
MNIST = Subject(
    data="mnist",
    classifiers=("mlp", "patch-vae-mnist", "ae-robustness"),
    epsilons=(0.1, 0.3),
    latent=64,
    images=1_000,
)
CIFAR = Subject(
    data="cifar-10",
    classifiers=("mlp", "patch-vae-cifar", "resnet"),
    epsilons=(4 / 255, 16 / 255),
    latent=256,
    images=1_000,
)
DIGITS = Subject(data="digits", classifiers=("mlp", "small-cnn"), epsilons=(0.3,), latent=16, images=40)
GRIDS: Mapping[str, Grid] = {
    "smoke": Grid(subjects=(DIGITS,), latents=(8, 16), audit=0),
    "cpu": Grid(
        subjects=(
            replace(MNIST, images=200, seen=180_000, settled=480_000),
            replace(CIFAR, images=100, seen=250_000, batch_size=SMALL),
        ),
        latents=LATENTS,
        encoded=80_000,
        audit=16,
    ),
    "paper": Grid(subjects=(MNIST, CIFAR), latents=LATENTS),
}


@final
@dataclass(frozen=True, kw_only=True)
class Cells:
    """The experiments of one data set, by classifier and purifier, and autoencoders of every latent size."""

    subject: Subject
    systems: Mapping[tuple[str, str], Experiment]
    codes: Mapping[tuple[str, int], Codes]


def _cells(subject: Subject, grid: Grid, scale: Scale, resources: Resources, seed: int) -> Cells:
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
    return Cells(subject=subject, systems=systems, codes=_codes(subject, question, grid, scale, resources))


def _codes(
    subject: Subject, question: Question, grid: Grid, scale: Scale, resources: Resources
) -> dict[tuple[str, int], Codes]:
    settled = replace(scale, encoded=subject.settled, batch_size=SMALL) if subject.settled else scale
    return {
        (experiment.system.defense, latent): Codes(autoencoder=experiment.system.autoencoders[0])
        for latent in grid.latents
        for defenses, length in ((OTHERS, scale), (("vae",), settled))
        for experiment in compose(replace(question, defenses=defenses, latent=latent), length, resources)
    }


def _study(scale: Scale, resources: Resources, seed: int) -> Study:
    grid = GRIDS[scale.name]
    cells = [_cells(subject, grid, scale, resources, seed) for subject in grid.subjects]
    return Study.of((_origins(cells), _units(cells, grid), _transfers(cells)), _claims(cells, grid))


def _origins(cells: Sequence[Cells]) -> OriginTable:
    return OriginTable(
        name="table-1",
        caption="Accuracy in percent by purifier, attack and the network that the images were made on",
        sections=tuple(
            _section(
                cell,
                epsilon,
                f"classifier {network}",
                [(network, purifier) for purifier in (BARE, *PURIFIERS)],
            )
            for cell in cells
            for epsilon in cell.subject.epsilons
            for network in cell.subject.classifiers
        ),
    )


def _transfers(cells: Sequence[Cells]) -> TransferTable:
    return TransferTable(
        name="table-2",
        caption="Accuracy in percent of each classifier, by the one that the images were made on: the worst "
        "case over all attacks",
        sections=tuple(
            _section(cell, epsilon, purifier, [(network, purifier) for network in cell.subject.classifiers])
            for cell in cells
            for epsilon in cell.subject.epsilons
            for purifier in (BARE, *PURIFIERS)
        ),
    )


def _section(cell: Cells, epsilon: float, title: str, systems: Sequence[tuple[str, str]]) -> Section:
    return Section(
        title=f"{cell.subject.data}, {title}, linf {epsilon:.3g}",
        epsilon=epsilon,
        experiments=tuple(cell.systems[system] for system in systems),
    )


def _units(cells: Sequence[Cells], grid: Grid) -> UnitsFigure:
    return UnitsFigure(
        name="fig-1",
        caption="Units whose code varies over the test images (variance above 0.01), by latent size",
        panels=tuple(
            UnitsPanel(
                title=cell.subject.data,
                curves=tuple(
                    (
                        purifier.upper(),
                        tuple(
                            UnitsAt(latent=latent, codes=cell.codes[purifier, latent])
                            for latent in grid.latents
                        ),
                    )
                    for purifier in PURIFIERS
                ),
            )
            for cell in cells
        ),
    )


def _claims(cells: Sequence[Cells], grid: Grid) -> tuple[Claim, ...]:
    return (
        *_better(cells),
        Claim(
            text="The active units of a VAE level off as its latent space grows.",
            protocol=PROTOCOL,
            evidence=tuple(
                _growth(cell, "vae", grid, (0.0, LEVEL))
                for cell in cells
                if cell.subject.settled or grid.encoded is None  # else training was cut short
            ),
        ),
        Claim(
            text="Those of AE, DAE and CAE do not.",
            protocol=PROTOCOL,
            evidence=tuple(
                _growth(cell, other, grid, (GROWING, math.inf)) for other in OTHERS for cell in cells
            ),
        ),
    )


def _growth(cell: Cells, purifier: str, grid: Grid, holds: tuple[float, float]) -> Ratio:
    half, whole = grid.latents[-2:]
    return Ratio(
        where=f"{purifier.upper()}, {whole} against {half} latent units, {cell.subject.data}",
        quantity="active units",
        first=cell.codes[purifier, whole],
        second=cell.codes[purifier, half],
        least=holds[0],
        most=holds[1],
    )


def _better(cells: Sequence[Cells]) -> tuple[Claim, ...]:
    return tuple(
        Claim(
            text=f"A VAE reconstructs adversarial images better than {ARTICLES[other]} {other.upper()} does.",
            protocol=PROTOCOL,
            evidence=tuple(
                Contrast(
                    where=f"VAE against {other.upper()}, {cell.subject.data}, all classifiers",
                    first=tuple(cell.systems[network, "vae"] for network in cell.subject.classifiers),
                    second=tuple(cell.systems[network, other] for network in cell.subject.classifiers),
                    expected="more",
                    epsilons=cell.subject.epsilons,
                )
                for cell in cells
            ),
        )
        for other in OTHERS
    )


VAE_RECONSTRUCTION = Paper(
    name="vae-reconstruction",
    title="VAE against denoising and contractive autoencoders",
    summary="which autoencoder reconstructs adversarial images, made where; active units; transfer",
    study=_study,
)
