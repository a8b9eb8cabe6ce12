"""The step that attacks: adversarial images of one attack, for one surface and one budget."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from safetensors.torch import load_file, save_file

from purifold.attacks.base import Attack
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.system import BARE, System
from purifold.engine.steps.train import TrainClassifier
from purifold.evaluation.evaluate import craft
from purifold.evaluation.surface import Knowledge
from purifold.threat import ThreatModel
from purifold.types import Images

ADVERSARIAL = "adversarial.safetensors"


@final
@dataclass(frozen=True, kw_only=True)
class Craft(Step):
    """Adversarial images, by the name of the attack ("pgd", and "pgd+eot10" where sampling is averaged).

    Args:
        system: What the attacker attacks; the bare one where the knowledge shows no more.
        count: How many test images; see `Split.sample`.
        attack: With its configuration.
        threat: The budget.
        knowledge: What the attacker uses of the system.
        substitute: The classifier of a `transfer` attacker.
        eot: Draws that gradients of a stochastic system are averaged over.
        seed: Of the attack.
    """

    kind: ClassVar[str] = "craft"

    system: System
    count: int
    attack: Attack
    threat: ThreatModel
    knowledge: Knowledge
    substitute: TrainClassifier | None
    eot: int
    seed: int

    @classmethod
    def of(
        cls,
        system: System,
        count: int,
        attack: Attack,
        threat: ThreatModel,
        knowledge: Knowledge,
        *,
        substitute: TrainClassifier | None = None,
        eot: int,
        seed: int,
    ) -> "Craft":
        """The step, reduced to what matters: systems that look alike to the attacker share its images."""
        if system.defense == BARE and knowledge == "adaptive":
            knowledge = "oblivious"
        if knowledge in ("oblivious", "transfer"):
            system, eot = system.bare, 1
        return cls(
            system=system,
            count=count,
            attack=attack,
            threat=threat,
            knowledge=knowledge,
            substitute=substitute if knowledge == "transfer" else None,
            eot=eot,
            seed=seed,
        )

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"{self.attack.name} at {self.threat}, {self.knowledge}, on {self.system.defense}"

    def run(self, bench: Workbench) -> None:
        """Attacks the surface; see `Step.run`."""
        adversarial = craft(
            self.system.build(bench),
            self.system.data.part("test", bench.resources, self.count),
            [self.attack],
            self.threat,
            self.knowledge,
            seed=self.seed,
            eot=self.eot,
            substitute=None if self.substitute is None else self.substitute.load(bench),
        )
        save_file({name: images.cpu() for name, images in adversarial.items()}, bench.folder / ADVERSARIAL)

    def load(self, bench: Workbench) -> dict[str, Images]:
        """The images by attack name, on the device of the work."""
        return read_adversarial(bench.artefact(self), bench.resources.device)


def read_adversarial(folder: Path, device: str = "cpu") -> dict[str, Images]:
    """The images in an artefact of `Craft`, by attack name."""
    return load_file(folder / ADVERSARIAL, device=device)
