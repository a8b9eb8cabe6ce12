"""A VAE in front of a classifier, patch by patch where images are large: `patch-vae`.

Luo and Pfister, "Adversarial defense of image classification using a variational auto-encoder", tables 4 to
7, figures 1 to 3. What the paper lacks: attackers who know the defense beside those who do not, and the
smoothing filter without its VAE.

Differs: the classifier of large images is MobileNetV2 instead of Inception V3, whose weights need timm. VAEs
of patches see images that are not attacked; the paper's see the attacked ones, clean. An image that is wrong
without an attack counts as wrong, and most draws decide; the paper looks at one draw of attacked ones alone,
which stands beside its numbers.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources as package
from typing import Any

from purifold.engine.experiment import middle
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.papers.base import Paper, Study
from purifold.papers.difference import DifferenceFigure, DifferencePanel, DifferenceTable, FilterTable
from purifold.papers.exhibit import Curve, Exhibit, Panel, PicturesFigure
from purifold.papers.patch_vae_cells import ATTACKS, BARE, FILTER, PLAIN, SUBJECTS, Cells, cells_of

FIGURES = {"mnist": "fig-2", "cifar-10": "fig-3"}
DECISIVE = "i-fgsm"
"""The stronger of the paper's attacks."""
BASELINE = "jpeg-23"
"""Drawn beside VAEs, too, where they have panels of their own."""


def _study(scale: Scale, resources: Resources, seed: int) -> Study:
    cells = [cells_of(subject, scale, resources, seed) for subject in SUBJECTS[scale.name]]
    return Study.of([exhibit for cell in cells for exhibit in _exhibits(cell)], ())


def _exhibits(cell: Cells) -> Iterator[Exhibit]:
    for attack, name in cell.subject.tables.items():
        yield _table(cell, attack, name)
    yield _curves(cell)
    if cell.subject.pictures:
        yield _pictures(cell)
    yield _filter(cell)


def _table(cell: Cells, attack: str, name: str) -> DifferenceTable:
    return DifferenceTable(
        name=name,
        caption=f"Accuracy in percent under {attack} on {cell.subject.data}, by mean relative L2 difference, "
        "ours linear between our budgets: printed; ours counted as printed, one draw of each attacked image; "
        "and ours of images that most draws keep right, clean and attacked, by attackers who do not know the "
        "defense and who do",
        attack=attack,
        systems=cell.systems,
        printed={row["relative_l2"]: _shares(row, cell) for row in _text()[name]},
    )


def _shares(row: Mapping[str, float], cell: Cells) -> Mapping[str, float]:
    """What the paper prints in a row; nothing beside images that the paper has not."""
    known = {subject.data for subject in SUBJECTS["paper"]}
    named = {name: share for name, share in row.items() if name != "relative_l2"}
    return named if cell.subject.data in known else {}


def _curves(cell: Cells) -> DifferenceFigure:
    data = cell.subject.data
    groups = _groups(cell)
    return DifferenceFigure(
        name=FIGURES.get(data, f"differences-{data}-{cell.subject.classifier}"),
        caption=f"Accuracy on {data} against the mean relative L2 difference: solid by attackers who do not "
        "know the defense, with the 95 % interval as a band; dashed by attackers who do",
        panels=tuple(
            DifferencePanel(attack=attack, panel=Panel(title=f"{data}, {attack}{kind}", curves=curves))
            for attack in ATTACKS
            for kind, curves in groups.items()
        ),
        columns=2,
    )


def _groups(cell: Cells) -> Mapping[str, tuple[Curve, ...]]:
    """Curves by what a panel's title says of them; several VAEs have a panel of their own."""
    curves = [Curve(label=name, experiment=system) for name, system in cell.systems.items()]
    plain = tuple(curve for curve in curves if curve.label in PLAIN)
    vaes = tuple(curve for curve in curves if curve.label not in PLAIN)
    if len(vaes) == 1:
        return {"": tuple(curves)}
    beside = tuple(curve for curve in plain if curve.label in (BARE, BASELINE))
    return {": no VAE": plain, ": VAEs": beside + vaes}


def _pictures(cell: Cells) -> PicturesFigure:
    name, shown = next((name, system) for name, system in cell.systems.items() if system.pictures)
    return PicturesFigure(
        name="fig-1",
        caption=f"Images of {cell.subject.data}, clean and attacked, as submitted and as {name} reconstructs "
        "them, with the answers of the classifier",
        experiment=shown,
    )


def _filter(cell: Cells) -> FilterTable:
    subject, found = cell.subject, cell.systems
    unfiltered = subject.unfiltered or (None, None)
    return FilterTable(
        name=f"filter-{subject.data}-{subject.classifier}",
        caption=f"The smoothing filter alone and behind each VAE, {subject.data} under {DECISIVE}",
        attack=DECISIVE,
        epsilon=middle(subject.epsilons),
        bare=found[BARE],
        alone=found[FILTER],
        systems={
            name: system
            for name, system in found.items()
            if name.startswith(("vae", "ensemble")) and name not in unfiltered
        }
        | {name: found[name] for name in unfiltered if name is not None},
        unfiltered=subject.unfiltered,
    )


@cache
def _text() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return tomllib.loads(package.files("purifold.papers").joinpath("patch_vae.toml").read_text())


PATCH_VAE = Paper(
    name="patch-vae",
    title="A VAE patch by patch in front of a classifier",
    summary="VAEs, JPEG and a smoothing filter by relative L2 difference; large images patch by patch",
    study=_study,
    minutes={"smoke": 1.0},
)
