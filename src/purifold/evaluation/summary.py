"""A record's figures as rows, for tables."""

from dataclasses import dataclass
from typing import final

from purifold.evaluation.curves import relative_l2
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.record import Record
from purifold.evaluation.surface import Knowledge
from purifold.threat import Norm

WORST = "worst case"
"""What stands for an attack in the row of all attacks together."""


@final
@dataclass(frozen=True)
class Row:
    """The figures of one attack on one defended system.

    Args:
        defense: Its name.
        knowledge: Of the attacker.
        substitute: The network that a `transfer` attacker had.
        attack: Its name in the outcome, or `WORST`.
        norm: Of the budget.
        epsilon: The budget.
        clean: Accuracy on the same images before the attack.
        accuracy: Robust accuracy; its `trials` are the images, its `interval()` is Wilson's.
        one_shot: The expected share when each image is submitted once instead of decided by majority.
        rounded: Robust accuracy after rounding to 8 bits.
        rejected: Adversarial images turned away; None for the worst case.
        relative_l2: Mean of ||adversarial - clean|| / ||clean||; None for the worst case.
        unreliable: Whether a sanity check of the record failed.
    """

    defense: str
    knowledge: Knowledge
    substitute: str
    attack: str
    norm: Norm
    epsilon: float
    clean: Proportion
    accuracy: Proportion
    one_shot: float
    rounded: Proportion
    rejected: Proportion | None
    relative_l2: float | None
    unreliable: bool


def rows(record: Record) -> list[Row]:
    """For each outcome of the record, its attacks and their worst case, per image, last."""
    return [
        _row(record, outcome, attack) for outcome in record.outcomes for attack in (*outcome.attacked, None)
    ]


def _row(record: Record, outcome: Outcome, attack: str | None) -> Row:
    return Row(
        defense=str(record.defense["name"]),
        knowledge=outcome.knowledge,
        substitute=outcome.substitute,
        attack=WORST if attack is None else attack,
        norm=outcome.threat.norm,
        epsilon=outcome.threat.epsilon,
        clean=outcome.accuracy(),
        accuracy=outcome.robust_accuracy(attack),
        one_shot=outcome.one_shot(attack),
        rounded=outcome.robust_accuracy(attack, rounded=True),
        rejected=None if attack is None else outcome.rejection(attack),
        relative_l2=None if attack is None else relative_l2(outcome, attack),
        unreliable=record.unreliable,
    )
