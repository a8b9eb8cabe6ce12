"""What defenses reach in how many seconds: figure 5 and table 6 of `puvae`.

Differs: seconds are those of this machine for a batch of 128 images, beside the paper's on a TITAN V. Table 6
gives Defense-GAN as many steps as fit, with its 20 restarts or with a single one.
"""

from collections.abc import Mapping

from purifold.engine.steps.pace import Pace
from purifold.engine.steps.system import System
from purifold.papers.exhibit import PaceFigure
from purifold.papers.puvae_cells import SEARCHING, Cells, paced
from purifold.papers.table import Limited, LimitTable

RESTARTS = 20
STEPS: Mapping[str, tuple[int, ...]] = {
    "smoke": (1, 4),
    "cpu": (1, 2, 5, 10, 20, 50, 100, 200),
    "paper": (1, 2, 5, 10, 20, 50, 100, 200),
}
"""Of Defense-GAN, by scale."""
LIMIT = 1.0
"""Seconds that table 6 allows."""
SINGLE = ("adversarial-training", "magnet", "puvae")
"""Defenses of table 6 that take one pass."""


def pace_figure(cell: Cells, scale: str, count: int) -> PaceFigure:
    """Figure 5."""
    return PaceFigure(
        name="fig-5",
        caption=f"Accuracy against seconds, {cell.subject.data}, by attackers who do not know the defense, "
        "with the 95 % interval as a band; dotted, the worst case by attackers who do, inside the budget",
        iterative=("Defense-GAN, by its steps", _searching(cell, scale, count, RESTARTS)),
        flat=("PuVAE, one pass", _pace(cell, cell.inside["puvae"].system, count)),
        known=(
            ("PuVAE, known to the attacker", cell.inside["puvae"]),
            ("Defense-GAN with all steps, known", cell.inside[SEARCHING]),
        ),
    )


def limit_table(
    cell: Cells, scale: str, count: int, printed: Mapping[str, Mapping[str, float]]
) -> LimitTable:
    """Table 6, from percent by attack and defense."""
    paces: dict[str, tuple[Pace, ...]] = {
        name: (_pace(cell, cell.inside[name].system, count),) for name in SINGLE
    }
    paces[SEARCHING] = tuple(
        pace for restarts in (RESTARTS, 1) for pace in _searching(cell, scale, count, restarts)
    )
    attacks = (*cell.subject.attacks, "cw-l2")
    known = {
        attack: printed[attack.removesuffix("-targeted")]
        for attack in attacks
        if cell.subject.data == "mnist"
    }
    return LimitTable(
        name="table-6",
        caption=f"Accuracy in percent when a defense may take {LIMIT:g} s, {cell.subject.data}",
        seconds=LIMIT,
        attacks=attacks,
        rows=tuple(
            Limited(
                defense=name,
                paces=found,
                experiment=cell.inside[name],
                printed={attack: percent[name] / 100 for attack, percent in known.items()},
            )
            for name, found in paces.items()
        ),
    )


def _searching(cell: Cells, scale: str, count: int, restarts: int) -> tuple[Pace, ...]:
    system = cell.inside[SEARCHING].system
    recipes = (f"defense-gan:steps={n},restarts={restarts},precision=bfloat16" for n in STEPS[scale])
    systems = (System.of(system.classifier, recipe, system.autoencoders) for recipe in recipes)
    return tuple(_pace(cell, found, count) for found in systems)


def _pace(cell: Cells, system: System, count: int) -> Pace:
    return paced(cell.subject, system, count, cell.paces["puvae"].seed)
