"""The attacks that the sanity checks make on a few images, each on those that the last one left."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.attacks.pgd import PGD
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.evaluation.evaluate import evaluate, numbered
from purifold.evaluation.surface import Knowledge, surface
from purifold.randomness import seeded
from purifold.threat import ThreatModel
from purifold.types import Mask


@final
@dataclass(frozen=True, eq=False)
class Trial:
    """What the checks look at.

    Args:
        defended: The system that was evaluated.
        split: The few images that are tried.
        attacks: Those of the evaluation.
        threat: The largest budget of the table.
        seed: Of attacks and judge.
        eot: Draws that an attacker of a stochastic system averages.
        batch_size: Images at a time; None: `purifold.batches.at_once`.
        bare: The classifier without the defense; None: the system's own, which its parts stand around.
    """

    defended: Defended
    split: Split
    attacks: Sequence[Attack]
    threat: ThreatModel
    seed: int
    eot: int
    batch_size: int | None
    bare: nn.Module | None = None

    @property
    def undefended(self) -> Defended:
        """The bare classifier."""
        return Defended(self.defended.classifier if self.bare is None else self.bare).eval()

    @property
    def undetected(self) -> Defended:
        """The system without its detectors."""
        return Defended(self.defended.classifier, self.defended.purifier).eval()

    @cached_property
    def precise(self) -> Defended | None:
        """A float64 copy of the system without its detectors; None where it does not run in float64."""
        try:
            system = copy.deepcopy(self.undetected).double()
            images = self.split.first(1).images().double()
            with seeded(self.seed), torch.no_grad():
                answers = [system(images), surface(system, "adaptive")(images)]
        except (RuntimeError, TypeError):
            return None
        return system if all(logits.dtype == torch.float64 for logits in answers) else None

    @cached_property
    def calibrators(self) -> dict[str, Attack]:
        """The attacks of many steps, by name; PGD stands in where all take one step or none counts them."""
        iterative = {name: attack for name, attack in numbered(self.attacks).items() if steps(attack)}
        return iterative or {f"pgd (stands in for {', '.join(numbered(self.attacks))})": PGD()}

    @cached_property
    def left(self) -> dict[str, Mask]:
        """For each calibrator, the images that the defended system keeps against an adaptive attacker."""
        found = {}
        for name, attack in self.calibrators.items():
            found[name] = self.kept(self.defended, [attack], self.threat)
        return found

    def right(self, defended: Defended) -> Mask:
        """Clean images that a system accepts and gets right."""
        return evaluate(defended, self.split, [], self.threat, "oblivious", seed=self.seed).correct_clean()

    def kept(
        self,
        defended: Defended,
        attacks: Sequence[Attack],
        threat: ThreatModel,
        knowledge: Knowledge = "adaptive",
        among: Mask | None = None,
    ) -> Mask:
        """Images of `among` that are robust to all the attacks; each is tried on what the last one left."""
        robust = torch.ones(len(self.split), dtype=torch.bool) if among is None else among.clone()
        for attack in attacks:
            rows = robust.nonzero().squeeze(1)
            if len(rows) == 0:
                break
            outcome = evaluate(
                defended,
                self.split.select(rows.to(self.split.labels.device)),
                [attack],
                threat,
                knowledge,
                seed=self.seed,
                eot=self.eot,
                batch_size=self.batch_size,
            )
            robust[rows] = outcome.robust()
        return robust


def steps(attack: Attack) -> int | None:
    """How many steps an attack takes; None for one that has no such setting."""
    return getattr(attack, "steps", None)


def doubled(attack: Attack) -> Attack:
    """The same attack with twice the steps."""
    changed: Any = {"steps": 2 * (steps(attack) or 1)}
    return replace(attack, **changed)
