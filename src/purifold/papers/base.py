"""What a paper is: a study, which is its configuration, and the cells it prints."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources as package
from typing import final

from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources, Step
from purifold.engine.steps.codes import Codes
from purifold.errors import InputError, unknown
from purifold.papers.claim import Claim, Contrast, Ratio
from purifold.papers.exhibit import Exhibit


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
class Study:
    """What is run and shown.

    Args:
        experiments: Each becomes a record.
        exhibits: Figures of the paper; without them the report shows the experiments one by one.
        claims: Of the paper.
    """

    experiments: tuple[Experiment, ...]
    exhibits: tuple[Exhibit, ...] = ()
    claims: tuple[Claim, ...] = ()

    @classmethod
    def of(cls, exhibits: Sequence[Exhibit], claims: Sequence[Claim]) -> "Study":
        """The study that shows these; what several of them need is in it once."""
        needed = [experiment for exhibit in exhibits for experiment in exhibit.experiments]
        for claim in claims:
            for evidence in claim.evidence:
                needed += [*evidence.first, *evidence.second] if isinstance(evidence, Contrast) else []
        return cls(experiments=tuple(dict.fromkeys(needed)), exhibits=tuple(exhibits), claims=tuple(claims))

    def only(self, names: Sequence[str]) -> "Study":
        """The study of these exhibits alone, without claims; refuses unknown names."""
        known = {exhibit.name: exhibit for exhibit in self.exhibits}
        if names and not known:
            raise InputError("this study has no figures or tables of its own; leave --only out")
        for name in names:
            if name not in known:
                raise unknown("figure or table at this scale", name, known)
        return Study.of([known[name] for name in known if name in names], ()) if names else self

    def steps(self) -> tuple[Step, ...]:
        """All artefacts that the report is made of."""
        return tuple(self._steps())

    def compared(self) -> tuple[Codes, ...]:
        """Sets of codes that a claim compares."""
        evidence = [item for claim in self.claims for item in claim.evidence]
        ratios = [item for item in evidence if isinstance(item, Ratio)]
        return tuple(dict.fromkeys(codes for ratio in ratios for codes in (ratio.first, ratio.second)))

    def _steps(self) -> Iterator[Step]:
        for experiment in self.experiments:
            yield from experiment.steps()
        for exhibit in self.exhibits:
            yield from exhibit.measurements
        yield from self.compared()


@final
@dataclass(frozen=True, kw_only=True)
class Paper:
    """A study that is reproduced by its name.

    Args:
        name: As in `purifold reproduce NAME`; `NAME.toml` beside its module has what it prints, if anything.
        title: Of the report.
        summary: One line for lists.
        study: What it consists of, at a scale, on this machine, with a seed.
        minutes: What all of it took on two cores with an empty store, by the name of the scale; measured.
    """

    name: str
    title: str
    summary: str
    study: Callable[[Scale, Resources, int], Study]
    minutes: Mapping[str, float] = field(default_factory=dict)

    def printed(self) -> tuple[Printed, ...]:
        """The numbers that the paper prints."""
        file = package.files("purifold.papers").joinpath(f"{self.name}.toml")
        lines = tomllib.loads(file.read_text()).get("line", ()) if file.is_file() else ()
        return tuple(
            Printed(
                attack=line["attack"], relative_l2=line["relative_l2"], defense=defense, accuracy=accuracy
            )
            for line in lines
            for defense, accuracy in line["accuracy"].items()
        )
