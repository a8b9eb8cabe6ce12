"""Exhibits of systems that may refuse an image, as which experiments and measurements stand where."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from purifold.engine.experiment import Experiment
from purifold.engine.step import Step
from purifold.engine.steps.alarms import Alarms
from purifold.engine.steps.decisions import Decisions
from purifold.engine.steps.flood import Flood
from purifold.engine.steps.forgery import Forgery
from purifold.engine.steps.frechet import Frechet
from purifold.engine.steps.samples import Samples
from purifold.engine.steps.selection import Selection
from purifold.engine.steps.unseen import Unseen
from purifold.papers.exhibit import Drawing, Exhibit


@final
@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A system in a table of clean images.

    Args:
        title: Data set and supervision.
        defense: What refuses.
        bare: Answers of the classifier alone to clean images.
        refusing: Those of the whole system.
        experiment: The whole system under attack.
        printed: Shares that the paper prints: "bare", "accuracy", "error", "rejection"; empty where none.
    """

    title: str
    defense: str
    bare: Decisions
    refusing: Decisions
    experiment: Experiment
    printed: Mapping[str, float]


@final
@dataclass(frozen=True, kw_only=True)
class RefusalTable(Exhibit):
    """Accuracy without thresholds; accuracy, error and rejection with them; what attackers make of that.

    Args:
        rows: The systems.
        missing: Rows of the paper whose data is not at hand: title, and what it prints.
    """

    rows: tuple[Refusal, ...]
    missing: tuple[tuple[str, Mapping[str, float]], ...] = ()

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those under attack."""
        return tuple(row.experiment for row in self.rows)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The answers to clean images."""
        return tuple(step for row in self.rows for step in (row.bare, row.refusing))


@final
@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """Images that a system rejects, looked at again.

    Args:
        title: Which images.
        never: Answers without a second look.
        refusing: With one that may refuse again.
        always: With one that always answers.
        equation: The same by equation 9 alone.
        every: With one at every image, rejected or not, that always answers; None where not asked.
        printed: Share of the rejected that the paper gets right by always answering; None where none.
    """

    title: str
    never: Decisions
    refusing: Decisions
    always: Decisions
    equation: Decisions
    every: Decisions | None
    printed: float | None


@final
@dataclass(frozen=True, kw_only=True)
class SecondLookTable(Exhibit):
    """How many of the rejected images a second look gets right.

    Args:
        rows: The images.
        followed: Systems that always answer, by how they descend, under attackers who know them.
    """

    rows: tuple[SecondLook, ...]
    followed: tuple[tuple[str, Experiment], ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those under attack."""
        return tuple(experiment for _, experiment in self.followed)

    @property
    def measurements(self) -> tuple[Step, ...]:
        """All answers."""
        steps = (
            step
            for row in self.rows
            for step in (row.never, row.refusing, row.always, row.equation, row.every)
        )
        return tuple(step for step in steps if step is not None)


@final
@dataclass(frozen=True, kw_only=True)
class KnownTable(Exhibit):
    """Images under attack, by attackers who know the classifier alone and by those who know all.

    Args:
        rows: By system, one experiment after another.
    """

    rows: tuple[tuple[str, Experiment], ...]

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Those under attack."""
        return tuple(experiment for _, experiment in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class RefusalFigure(Drawing):
    """Accuracy, error and rejection against the budget: a panel a system.

    Args:
        protocol: Name of the attack that the paper uses, by an attacker who does not know the detectors.
        panels: By title.
        ceiling: The largest error that the paper finds; None where it states none.
    """

    protocol: str
    panels: tuple[tuple[str, Experiment], ...]
    ceiling: float | None = None

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """What it draws."""
        return tuple(experiment for _, experiment in self.panels)


@final
@dataclass(frozen=True, kw_only=True)
class CoverageFigure(Drawing):
    """Risk against coverage: a panel a kind of images, a curve a system.

    Args:
        panels: By title, the curves by label.
    """

    panels: tuple[tuple[str, tuple[tuple[str, Selection], ...]], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The curves."""
        return tuple(curve for _, curves in self.panels for _, curve in curves)


@final
@dataclass(frozen=True, kw_only=True)
class AlarmsTable(Exhibit):
    """Which detectors turn images away.

    Args:
        rows: By system and images.
    """

    rows: tuple[tuple[str, str, Alarms], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The counts."""
        return tuple(step for _, _, step in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class FrechetTable(Exhibit):
    """How far samples of models lie from real images.

    Args:
        rows: By title the step, and the distance that the paper prints on its own images; None where none.
    """

    rows: tuple[tuple[str, Frechet, float | None], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The distances."""
        return tuple(step for _, step, _ in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class SoughtTable(Exhibit):
    """What attackers seek beside a wrong class: that noise is accepted, that images are refused, forgeries.

    Args:
        rows: By system, one kind of input after another.
    """

    rows: tuple[tuple[str, Unseen | Flood | Forgery], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """What was tried."""
        return tuple(step for _, step in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class ForgeryFigure(Drawing):
    """Forgeries for each class sought, and what they decode to.

    Args:
        rows: By label.
    """

    rows: tuple[tuple[str, Forgery], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The forgeries."""
        return tuple(step for _, step in self.rows)


@final
@dataclass(frozen=True, kw_only=True)
class SamplesFigure(Drawing):
    """Images sampled from each class: a block a model.

    Args:
        blocks: By title.
    """

    blocks: tuple[tuple[str, Samples], ...]

    @property
    def measurements(self) -> tuple[Step, ...]:
        """The samples."""
        return tuple(step for _, step in self.blocks)
