"""Tables of a paper, as which experiments and measurements stand in which row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from purifold.engine.experiment import Experiment
from purifold.engine.step import Step
from purifold.engine.steps.pace import Pace
from purifold.engine.steps.timing import Timing
from purifold.papers.exhibit import Exhibit


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
        pace: Answers to attackers who do not know the defense, as the paper's.
        experiment: Outcomes of attackers who do, at a single budget.
        printed: Share of images; None where the paper has none.
    """

    defense: str
    attack: str
    pace: Pace
    experiment: Experiment
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

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The paces."""
        return tuple(dict.fromkeys(cell.pace for _, cells in self.sections for cell in cells))


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
class Limited:
    """A defense in a table of what fits into so many seconds.

    Args:
        defense: Its name in the table.
        paces: Of its systems, the longest of which that fits stands in the table.
        experiment: Of the whole defense, by attackers who know it.
        printed: Share of images by attack, where the paper has one.
    """

    defense: str
    paces: tuple[Pace, ...]
    experiment: Experiment
    printed: Mapping[str, float]


@final
@dataclass(frozen=True, kw_only=True)
class LimitTable(Exhibit):
    """Accuracy on attacked images of defenses that may take so long.

    Args:
        seconds: For all images of a pace.
        attacks: By their name in the outcomes.
        rows: The defenses.
    """

    seconds: float
    attacks: tuple[str, ...]
    rows: tuple[Limited, ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those of attackers who know the defenses."""
        return tuple(row.experiment for row in self.rows)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The paces."""
        return tuple(pace for row in self.rows for pace in row.paces)


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
