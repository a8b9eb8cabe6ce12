"""What else attackers of `gm-vae` may want: noise accepted, clean images refused, forgeries."""

from collections.abc import Iterator, Sequence

from purifold.attacks.pgd import PGD
from purifold.engine.step import Resources
from purifold.engine.steps.data import Data
from purifold.engine.steps.flood import Flood
from purifold.engine.steps.forgery import Forgery
from purifold.engine.steps.unseen import Unseen
from purifold.papers.gm_vae_cells import BARE, DESCENTS, FREE, REFUSING, Cells
from purifold.papers.refusals import ForgeryFigure, SoughtTable
from purifold.threat import ThreatModel

FLOODING = PGD(steps=20)


def sought(found: Sequence[Cells], resources: Resources) -> SoughtTable:
    """All aims, by system."""
    rows = [
        (f"{cells.title}, {cells.second}", step) for cells in found for step in _attempts(cells, resources)
    ]
    return SoughtTable(
        name="sought",
        caption="Inputs of no class accepted, accepted images made refused, and forgeries, which need both "
        "detectors",
        rows=tuple(rows),
    )


def _attempts(cells: Cells, resources: Resources) -> Iterator[Unseen | Flood | Forgery]:
    sizes, system, seed = cells.sizes, cells.refusing, cells.inside[BARE].seed
    for source in ("uniform", "gaussian", Data.named(cells.subject.other, resources)):
        yield Unseen(system=system, source=source, count=sizes.noise, seed=seed)
    for epsilon in cells.subject.epsilons[:: len(cells.subject.epsilons) - 1]:
        threat = ThreatModel("linf", epsilon)
        yield Flood(system=system, count=sizes.known, attack=FLOODING, threat=threat, seed=seed)
    if cells.second == REFUSING:
        yield from _forged(cells)


def _forged(cells: Cells) -> tuple[Forgery, Forgery]:
    """From images by equation 10, and from noise by equation 11."""
    system, each, seed = cells.refusing, cells.sizes.forged, cells.inside[BARE].seed
    return (
        Forgery(system=system, each=each, rubbish=False, descents=DESCENTS, seed=seed),
        Forgery(system=system, each=each, rubbish=True, descents=FREE, seed=seed),
    )


def forgeries(cells: Cells) -> ForgeryFigure:
    """Figure 4."""
    images, noise = _forged(cells)
    return ForgeryFigure(
        name="fig-4",
        caption=f"Forgeries of {cells.title} for each class, and what they decode to",
        rows=(("equation 10", images), ("equation 11, noise", noise)),
    )
