"""What a paper shows: figures, as which experiments and measurements stand in which panel."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, final

from purifold.engine.experiment import Experiment
from purifold.engine.step import Step
from purifold.engine.steps.codes import Codes, Shift


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
class AccuracyFigure:
    """Accuracy against the budget: the paper's attack, and the worst case over all attacks dashed.

    Args:
        name: As in `--only`.
        caption: What it shows.
        protocol: Name of the attack that the paper uses.
        panels: Row by row.
        columns: Panels in a row.
    """

    name: str
    caption: str
    protocol: str
    panels: tuple[Panel, ...]
    columns: int

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it draws."""
        return tuple(curve.experiment for panel in self.panels for curve in panel.curves)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """Steps that it draws beside the experiments: none."""
        return ()


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
class CodesFigure:
    """How an attack moves codes, and how far apart codes lie: a column a data set.

    Args:
        name: As in `--only`.
        caption: What it shows.
        xlabel: Of `CodesAt.x`.
        panels: One a data set.
    """

    name: str
    caption: str
    xlabel: str
    panels: tuple[CodesPanel, ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it draws: measurements only."""
        return ()

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
class UnitsFigure:
    """Active latent units against the latent size: a panel a data set.

    Args:
        name: As in `--only`.
        caption: What it shows.
        panels: One a data set.
    """

    name: str
    caption: str
    panels: tuple[UnitsPanel, ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it draws: measurements only."""
        return ()

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


@final
@dataclass(frozen=True, kw_only=True)
class OriginTable:
    """Accuracy by purifier and attack, a column for each place where the images were made.

    Args:
        name: As in `--only`.
        caption: What it shows.
        sections: One a classifier; its experiments are the purifiers.
    """

    name: str
    caption: str
    sections: tuple[Section, ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it lists."""
        return tuple(experiment for section in self.sections for experiment in section.experiments)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """Steps that it lists beside the experiments: none."""
        return ()


@final
@dataclass(frozen=True, kw_only=True)
class TransferTable:
    """Accuracy of each classifier, in a column, on images made on each classifier, in a row.

    Args:
        name: As in `--only`.
        caption: What it shows.
        sections: One a purifier; its experiments are the classifiers behind it.
    """

    name: str
    caption: str
    sections: tuple[Section, ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it lists."""
        return tuple(experiment for section in self.sections for experiment in section.experiments)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """Steps that it lists beside the experiments: none."""
        return ()


Drawing: TypeAlias = AccuracyFigure | CodesFigure | UnitsFigure
"""What `purifold.report.exhibits` draws."""
Table: TypeAlias = OriginTable | TransferTable
"""What `purifold.report.exhibit_tables` lists."""
Exhibit: TypeAlias = Drawing | Table
"""A figure or table of a paper."""
