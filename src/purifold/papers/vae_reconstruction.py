"""VAE against denoising and contractive autoencoders: `vae-reconstruction`.

Only its introduction is at hand, which asks whether a VAE, whose KL term keeps no more latent units than the
problem needs, reconstructs adversarial images better than the autoencoders of Gu and Rigazio (2014,
arXiv:1412.5068). So the set-up is ours: images made on the classifier, on another one, and on the stacked
network; units that stay active at each latent size; and which classifier's images fool which other.
"""

import math
from collections.abc import Sequence

from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.papers.base import Paper, Study
from purifold.papers.claim import Claim, Contrast, Ratio
from purifold.papers.exhibit import UnitsAt, UnitsFigure, UnitsPanel
from purifold.papers.table import OriginTable, Section, TransferTable
from purifold.papers.vae_reconstruction_cells import BARE, GRIDS, OTHERS, PURIFIERS, Cells, Grid, cells_of

ARTICLES = {"ae": "an", "dae": "a", "cae": "a"}
PROTOCOL = "cw-l2"
LEVEL, GROWING = 1.1, 1.5
"""Ratio of the active units at two latent sizes, one twice the other: at most that, they level off; from this
on they grow."""


def _study(scale: Scale, resources: Resources, seed: int) -> Study:
    grid = GRIDS[scale.name]
    cells = [cells_of(subject, grid, scale, resources, seed) for subject in grid.subjects]
    return Study.of((_origins(cells), _units(cells), _transfers(cells)), _claims(cells, grid))


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


def _units(cells: Sequence[Cells]) -> UnitsFigure:
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
                            for latent in cell.subject.latents
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
                _growth(cell, "vae", (0.0, LEVEL))
                for cell in cells
                if cell.subject.settled or grid.encoded is None  # else training was cut short
            ),
        ),
        Claim(
            text="Those of AE, DAE and CAE do not.",
            protocol=PROTOCOL,
            evidence=tuple(_growth(cell, other, (GROWING, math.inf)) for other in OTHERS for cell in cells),
        ),
    )


def _growth(cell: Cells, purifier: str, holds: tuple[float, float]) -> Ratio:
    half, whole = cell.subject.latents[-2:]
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
    minutes={"smoke": 1.0, "cpu": 55.0},
)
