"""The step that attacks: adversarial images of one attack, for one surface and one budget."""

from dataclasses import dataclass
from typing import ClassVar, final

from safetensors.torch import load_file, save_file

from purifold.attacks.base import Attack
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.classifier import Classifying
from purifold.engine.steps.system import BARE, System
from purifold.evaluation.evaluate import craft_on
from purifold.evaluation.surface import DIRECT, Knowledge, View
from purifold.options import later
from purifold.threat import ThreatModel
from purifold.types import Images

ADVERSARIAL, IMAGES = "adversarial.safetensors", "images"


@final
@dataclass(frozen=True, kw_only=True)
class Craft(Step):
    """Adversarial images of one attack on one surface.

    Args:
        system: What the attacker attacks; the bare one where the knowledge shows no more.
        count: How many test images; see `Split.sample`.
        attack: With its configuration.
        threat: The budget.
        knowledge: What the attacker uses of the system.
        substitute: The classifier of a `transfer` attacker.
        draws: As in `View`: 1 with sampling off, more averaged, 0 the surrogate alone.
        seed: Of the attack.
        stand_in: As in `View`.
    """

    kind: ClassVar[str] = "craft"
    version: ClassVar[int] = 3

    system: System
    count: int
    attack: Attack
    threat: ThreatModel
    knowledge: Knowledge
    substitute: Classifying | None
    draws: int
    seed: int
    stand_in: str = later("")

    @classmethod
    def of(
        cls,
        system: System,
        count: int,
        attack: Attack,
        threat: ThreatModel,
        knowledge: Knowledge,
        *,
        view: View = DIRECT,
        substitute: Classifying | None = None,
        seed: int,
    ) -> "Craft":
        """The step, reduced to what matters: systems that look alike to the attacker share its images."""
        if system.defense == BARE and knowledge == "adaptive":
            knowledge = "oblivious"
        if knowledge in ("oblivious", "transfer"):
            system, view = system.bare, DIRECT
        if knowledge == "adaptive" and view.draws == 0 and system.recipe.transparent:
            system = system.bare
        if knowledge == "adaptive" and view.draws == 1:
            system = system.still
        return cls(
            system=system,
            count=count,
            attack=attack,
            threat=threat,
            knowledge=knowledge,
            substitute=substitute if knowledge == "transfer" else None,
            draws=view.draws,
            seed=seed,
            stand_in=view.stand_in,
        )

    @property
    def view(self) -> View:
        """How the attacker looks at the system."""
        return View(draws=self.draws, stand_in=self.stand_in)

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        name = self.attack.label + self.view.suffix
        return f"{name} at {self.threat}, {self.knowledge}, on {self.system.defense}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Attacks the surface; see `Step.run`."""
        adversarial = craft_on(
            self.system.build(bench),
            self.system.data.part("test", bench.resources, self.count),
            self.attack,
            self.threat,
            self.knowledge,
            view=self.view,
            seed=self.seed,
            substitute=None if self.substitute is None else self.substitute.load(bench),
        )
        save_file({IMAGES: adversarial.cpu()}, bench.folder / ADVERSARIAL)

    def load(self, bench: Workbench) -> Images:
        """The images, on the device of the work."""
        return load_file(bench.artefact(self) / ADVERSARIAL, device=bench.resources.device)[IMAGES]
