"""What a paper shows: figures, as which experiments and measurements stand in which panel."""

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from purifold.engine.experiment import Experiment
from purifold.engine.step import Step
from purifold.engine.steps.codes import Codes, Shift
from purifold.engine.steps.timing import Timing


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
class Section:
    """A part of a table.

    Args:
        title: What all of it has in common.
        epsilon: Budget.
        experiments: In the order of the table.
    """

    title: str
    epsilon: float
    experiments: tuple[Experiment, ...]


@dataclass(frozen=True, kw_only=True)
class Table(Exhibit):
    """Records in sections, which `purifold.report.exhibit_tables` lists.

    Args:
        sections: From top to bottom.
    """

    sections: tuple[Section, ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it lists."""
        return tuple(experiment for section in self.sections for experiment in section.experiments)


@final
@dataclass(frozen=True, kw_only=True)
class PrintedCell:
    """A number that the paper prints, and where ours is found.

    Args:
        defense: As the paper calls it.
        attack: Its name in the outcomes; "" for clean images.
        experiment: Whose record.
        epsilon: Budget of the paper's attack.
        bounded: Budget at which ours of an attacker who knows the defense stands; the same but for attacks
            that stop at no budget, which win against anything.
        printed: Share of images, by an attacker who does not know the defense; None where the paper has none.
    """

    defense: str
    attack: str
    experiment: Experiment
    epsilon: float
    bounded: float
    printed: float | None


@final
@dataclass(frozen=True, kw_only=True)
class PrintedTable(Exhibit):
    """A table of the paper, cell by cell, with ours beside it.

    Args:
        sections: By title: a classifier of a data set.
    """

    sections: tuple[tuple[str, tuple[PrintedCell, ...]], ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it lists."""
        return tuple(dict.fromkeys(cell.experiment for _, cells in self.sections for cell in cells))


@final
@dataclass(frozen=True, kw_only=True)
class Timed:
    """A defense in a table of seconds.

    Args:
        defense: Its name in the table.
        timing: Of its system.
        printed: Seconds that the paper prints for as many images, on its own machine; None where it has none.
    """

    defense: str
    timing: Timing
    printed: float | None


@final
@dataclass(frozen=True, kw_only=True)
class SecondsTable(Exhibit):
    """Seconds of defenses for one batch, and their ratios.

    Args:
        rows: The first is what the others are compared with.
    """

    rows: tuple[Timed, ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The timings."""
        return tuple(row.timing for row in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class OriginTable(Table):
    """Accuracy by purifier and attack, a column for each place where the images were made.

    A section is a classifier, its experiments are the purifiers.
    """


@final
@dataclass(frozen=True, kw_only=True)
class TransferTable(Table):
    """Accuracy of each classifier, in a column, on images made on each classifier, in a row.

    A section is a purifier, its experiments are the classifiers behind it.
    """
