"""What a paper shows: figures, as which experiments and measurements stand in which panel.

Its tables are in `purifold.papers.table`.
"""

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from purifold.engine.experiment import Experiment
from purifold.engine.step import Step
from purifold.engine.steps.branches import Branches
from purifold.engine.steps.codes import Codes, Shift
from purifold.engine.steps.pace import Pace


@dataclass(frozen=True, kw_only=True)
class Exhibit(ABC):
    """A figure or table of a paper; what it does not show, it has none of.

    Args:
        name: As in `--only`.
        caption: What it shows.
    """

    name: str
    caption: str

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those whose records it shows."""
        return ()

    @property
    def measurements(self) -> tuple[Step, ...]:
        """Steps that it shows beside records."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Drawing(Exhibit):
    """A figure, which `purifold.report.exhibits` draws."""


@final
@dataclass(frozen=True, kw_only=True)
class Curve:
    """Accuracy against the budget.

    Args:
        label: In the legend.
        experiment: Whose accuracy.
    """

    label: str
    experiment: Experiment


@final
@dataclass(frozen=True, kw_only=True)
class Panel:
    """Curves in one pair of axes."""

    title: str
    curves: tuple[Curve, ...]


@final
@dataclass(frozen=True, kw_only=True)
class AccuracyFigure(Drawing):
    """Accuracy against the budget: the paper's attack, and the worst case over all attacks dashed.

    Args:
        protocol: Name of the attack that the paper uses.
        panels: Row by row.
        columns: Panels in a row.
    """

    protocol: str
    panels: tuple[Panel, ...]
    columns: int

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it draws."""
        return tuple(curve.experiment for panel in self.panels for curve in panel.curves)


@final
@dataclass(frozen=True, kw_only=True)
class CodesAt:
    """One autoencoder in a figure of latent spaces.

    Args:
        x: Where it stands: the noise that it was trained with.
        codes: Of clean images.
        shift: By an attack.
    """

    x: float
    codes: Codes
    shift: Shift


@final
@dataclass(frozen=True, kw_only=True)
class CodesCurve:
    """Autoencoders that differ in one number."""

    label: str
    points: tuple[CodesAt, ...]


@final
@dataclass(frozen=True, kw_only=True)
class CodesPanel:
    """Curves of one data set under one attack."""

    title: str
    curves: tuple[CodesCurve, ...]


@final
@dataclass(frozen=True, kw_only=True)
class CodesFigure(Drawing):
    """How an attack moves codes, and how far apart codes lie: a column a data set.

    Args:
        xlabel: Of `CodesAt.x`.
        panels: One a data set.
    """

    xlabel: str
    panels: tuple[CodesPanel, ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The codes and their shifts."""
        return tuple(self._measurements())

    def _measurements(self) -> Iterator[Step]:
        for panel in self.panels:
            for curve in panel.curves:
                for point in curve.points:
                    yield point.codes
                    yield point.shift


@final
@dataclass(frozen=True, kw_only=True)
class UnitsAt:
    """One autoencoder in a figure of active units.

    Args:
        latent: Its latent size.
        codes: Of clean images.
    """

    latent: int
    codes: Codes


@final
@dataclass(frozen=True, kw_only=True)
class UnitsPanel:
    """Curves of one data set: autoencoders of a kind, by their latent size."""

    title: str
    curves: tuple[tuple[str, tuple[UnitsAt, ...]], ...]


@final
@dataclass(frozen=True, kw_only=True)
class UnitsFigure(Drawing):
    """Active latent units against the latent size: a panel a data set.

    Args:
        panels: One a data set.
    """

    panels: tuple[UnitsPanel, ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The codes."""
        return tuple(point.codes for panel in self.panels for _, points in panel.curves for point in points)


@final
@dataclass(frozen=True, kw_only=True)
class PaceFigure(Drawing):
    """Accuracy against seconds, a colour an attack: a defense of many steps, and one of a single pass.

    Args:
        iterative: Label, and one system after another, each with more steps.
        flat: Label, and the system that needs a single pass.
        known: By label, what attackers who know each of the two leave of it.
    """

    iterative: tuple[str, tuple[Pace, ...]]
    flat: tuple[str, Pace]
    known: tuple[tuple[str, Experiment], ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those of attackers who know the defenses."""
        return tuple(experiment for _, experiment in self.known)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The paces, that of a single pass first."""
        return (self.flat[1], *self.iterative[1])


@final
@dataclass(frozen=True, kw_only=True)
class BranchesFigure(Drawing):
    """One attacked image under every class, a row for each autoencoder.

    Args:
        rows: By what tells the autoencoders apart.
    """

    rows: tuple[tuple[str, Branches], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The rows."""
        return tuple(row for _, row in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class PicturesFigure(Drawing):
    """Images of one experiment as submitted and as purified.

    Args:
        experiment: With a gallery.
    """

    experiment: Experiment

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Whose gallery it shows."""
        return (self.experiment,)
