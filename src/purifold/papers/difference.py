"""What a paper shows against the mean relative L2 difference between attacked and clean images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from purifold.engine.experiment import Experiment
from purifold.papers.exhibit import Drawing, Exhibit, Panel


@final
@dataclass(frozen=True, kw_only=True)
class DifferencePanel:
    """Curves of one attack in one pair of axes."""

    attack: str
    panel: Panel


@final
@dataclass(frozen=True, kw_only=True)
class DifferenceFigure(Drawing):
    """Accuracy under one attack a panel; solid by attackers who do not know the defense, dashed who do.

    Args:
        panels: Row by row; the first curve of each is the bare classifier.
        columns: Panels in a row.
    """

    panels: tuple[DifferencePanel, ...]
    columns: int

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it draws."""
        return tuple(curve.experiment for drawn in self.panels for curve in drawn.panel.curves)


@final
@dataclass(frozen=True, kw_only=True)
class DifferenceTable(Exhibit):
    """A table of the paper, a section a defense, with ours at its differences.

    Args:
        attack: By its name in the outcomes.
        systems: By the defense's name.
        printed: By difference, the paper's shares by the defense's name.
    """

    attack: str
    systems: Mapping[str, Experiment]
    printed: Mapping[float, Mapping[str, float]]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it lists."""
        return tuple(self.systems.values())


@final
@dataclass(frozen=True, kw_only=True)
class FilterTable(Exhibit):
    """How much of a purifier's gain is that of the filter behind it, and what an attacker leaves of both.

    Args:
        attack: By its name in the outcomes.
        epsilon: Budget.
        bare: Without a defense.
        alone: The filter and nothing else.
        systems: Purifiers with the filter behind them, by name.
        unfiltered: Names of a purifier with the filter and of the same without; None: there is no such pair.
    """

    attack: str
    epsilon: float
    bare: Experiment
    alone: Experiment
    systems: Mapping[str, Experiment]
    unfiltered: tuple[str, str] | None

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it compares."""
        return (self.bare, self.alone, *self.systems.values())
