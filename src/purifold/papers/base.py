"""What a paper is: a composition of experiments, which is its configuration, and the cells it prints."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources as package
from typing import final

from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources


@final
@dataclass(frozen=True, kw_only=True)
class Printed:
    """A number that a paper prints.

    Args:
        attack: Name of the attack.
        relative_l2: Mean relative L2 difference it is printed at.
        defense: As the experiments name it.
        accuracy: Share of images, in [0, 1], by an attacker who does not know the defense.
    """

    attack: str
    relative_l2: float
    defense: str
    accuracy: float


@final
@dataclass(frozen=True, kw_only=True)
class Paper:
    """A study that is reproduced by its name.

    Args:
        name: As in `purifold reproduce NAME`; `NAME.toml` beside its module has what it prints.
        title: Of the report.
        summary: One line for lists.
        experiments: What it consists of, at a scale, on this machine, with a seed.
    """

    name: str
    title: str
    summary: str
    experiments: Callable[[Scale, Resources, int], Sequence[Experiment]]

    def printed(self) -> tuple[Printed, ...]:
        """The numbers that the paper prints."""
        text = package.files("purifold.papers").joinpath(f"{self.name}.toml").read_text()
        return tuple(
            Printed(
                attack=line["attack"], relative_l2=line["relative_l2"], defense=defense, accuracy=accuracy
            )
            for line in tomllib.loads(text)["line"]
            for defense, accuracy in line["accuracy"].items()
        )
