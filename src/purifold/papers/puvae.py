"""PuVAE beside MagNet, Defense-GAN and adversarial training: `puvae`.

Hwang et al., 2019, arXiv:1903.00585, tables 2 to 6, figures 4 and 5. The column that the paper lacks: what
each defense keeps against an attacker who knows it.

Differs: classifiers A and B are Defense-GAN's, C and D our own, since the supplement is lost; the budget of
an adaptive CW-L2 attack is finite, since without one it wins against anything.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources as package
from typing import Any

from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.timing import Timing
from purifold.papers.base import Paper, Study
from purifold.papers.exhibit import PicturesFigure
from purifold.papers.puvae_branches import branches_figure
from purifold.papers.puvae_cells import SUBJECTS, Cells, cells_of
from purifold.papers.puvae_pace import limit_table, pace_figure
from purifold.papers.table import PrintedCell, PrintedTable, SecondsTable, Timed

BATCH = 128
TABLES = {"mnist": "table-2", "fashion-mnist": "table-3", "cifar-10": "table-4", "digits": "table-2"}


def _study(scale: Scale, resources: Resources, seed: int) -> Study:
    found = [
        [cells_of(subject, letter, scale, resources, seed) for letter in subject.classifiers]
        for subject in SUBJECTS[scale.name]
    ]
    first = found[0][0]
    tables = [_table(cells[0].subject.data, cells) for cells in found]
    limited = limit_table(first, scale.name, min(BATCH, first.subject.images[0]), _text()["limited"])
    figures = [
        branches_figure(first, scale, resources, seed),
        pace_figure(first, scale.name, min(BATCH, first.subject.images[0])),
        *(_purified(cells[0]) for cells in found),
    ]
    return Study.of([*tables, _seconds(first), limited, *figures], ())


def _purified(cell: Cells) -> PicturesFigure:
    return PicturesFigure(
        name=f"purified-{cell.subject.data}",
        caption=f"Images of {cell.subject.data} as submitted and as PuVAE purifies them, with the answer of "
        f"classifier {cell.letter}",
        experiment=cell.inside["puvae"],
    )


def _table(data: str, cells: Sequence[Cells]) -> PrintedTable:
    return PrintedTable(
        name=TABLES[data],
        caption=f"Accuracy in percent on attacked images of {data}, printed and ours",
        sections=tuple((f"{data}, classifier {cell.letter}", tuple(_cells(cell))) for cell in cells),
    )


def _cells(cell: Cells) -> list[PrintedCell]:
    printed = _printed().get(cell.subject.data, {}).get(cell.letter, {})
    by_attack = [("", cell.inside), *((name, cell.inside) for name in cell.subject.attacks)]
    return [
        PrintedCell(
            defense=name,
            attack=attack,
            pace=cell.paces[name],
            experiment=experiment,
            printed=_share(printed.get(attack.removesuffix("-targeted") or "clean", {}).get(name)),
        )
        for attack, experiments in (*by_attack, ("cw-l2", cell.nearest))
        for name, experiment in experiments.items()
    ]


def _seconds(cell: Cells) -> SecondsTable:
    printed = _text()["seconds"]
    names = ("puvae", *(name for name in cell.inside if name not in ("puvae", "none")))
    return SecondsTable(
        name="table-5",
        caption=f"Seconds to purify and classify {BATCH} images of {cell.subject.data}",
        rows=tuple(
            Timed(
                defense=name,
                timing=Timing(system=cell.inside[name].system, images=BATCH),
                printed=printed.get(name),
            )
            for name in names
        ),
    )


def _printed() -> Mapping[str, Any]:
    """Tables 2 to 4 of the paper, by data set, classifier, attack and defense, in percent."""
    return _text()["tables"]


@cache
def _text() -> Mapping[str, Any]:
    return tomllib.loads(package.files("purifold.papers").joinpath("puvae.toml").read_text())


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


PUVAE = Paper(
    name="puvae",
    title="PuVAE beside MagNet, Defense-GAN and adversarial training",
    summary="a class-conditional purifier and its rivals, by attackers who know them and who do not",
    study=_study,
)
