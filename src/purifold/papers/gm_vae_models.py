"""How models of `gm-vae` compare that differ in their entropy: their samples, and their detectors."""

from collections.abc import Mapping, Sequence
from typing import cast

from purifold.engine.steps.alarms import Alarms
from purifold.engine.steps.frechet import Frechet
from purifold.engine.steps.samples import Samples
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.steps.train_mixture import TrainMixture
from purifold.papers.gm_vae_cells import BARE, PROTOCOL, Cells
from purifold.papers.gm_vae_printed import text
from purifold.papers.refusals import AlarmsTable, FrechetTable, SamplesFigure

SHOWN, EACH = 10, 8
"""Classes and images of each among the samples."""


def samples(found: Sequence[Cells]) -> SamplesFigure:
    """Figure 2."""
    models = [(cells.learning, cells.inside[BARE]) for cells in found]
    return SamplesFigure(
        name="fig-2",
        caption=f"Samples of the classes of {found[0].subject.data}",
        blocks=tuple(
            (
                title,
                Samples(
                    autoencoder=cast(TrainMixture, bare.system.classifier),
                    classes=SHOWN,
                    each=EACH,
                    seed=bare.seed,
                ),
            )
            for title, bare in models
        ),
    )


def detectors(found: Sequence[Cells]) -> AlarmsTable:
    """Which of the two turns clean images and those of the paper's attack away."""
    rows = [
        (cells.learning, title, Alarms(system=cells.refusing, count=cells.sizes.attacked, craft=craft))
        for cells in found
        for title, craft in cells.submitted(cells.sizes.attacked).items()
    ]
    return AlarmsTable(
        name="detectors",
        caption=f"Which detectors turn images of {found[0].subject.data} away, each at its threshold of "
        f"table 1: clean images and those of {PROTOCOL} on the classifier; figures 3 and 5 show "
        "what attackers who know them get",
        rows=tuple(rows),
    )


def frechet(found: Sequence[Cells], plain: Cells) -> FrechetTable:
    """Of constant and of variable entropy, in the features of a classifier of the same data."""
    printed: Mapping[str, float] = text()["frechet"]["celeba"]
    reader = cast(TrainClassifier, plain.inside[BARE].system.classifier)
    rows = []
    for cells in found:
        bare = cells.inside[BARE]
        step = Frechet(autoencoder=cast(TrainMixture, bare.system.classifier), reader=reader, seed=bare.seed)
        rows.append((cells.title, step, printed.get(cells.learning)))
    return FrechetTable(
        name="frechet",
        caption=f"How far samples lie from test images of {found[0].subject.data}; last, how far these lie "
        "from each other, half from half. Decoded from draws of the prior, or of Gaussians fitted to "
        "held-out images' noisy codes, one a class. That constant entropy's are nearer is the paper's claim",
        rows=tuple(rows),
    )
