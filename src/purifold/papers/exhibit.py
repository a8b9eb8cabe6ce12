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


Exhibit: TypeAlias = AccuracyFigure | CodesFigure
"""A figure of a paper; what draws each kind stands in `purifold.report.exhibits`."""
