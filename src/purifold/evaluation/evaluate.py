"""A defended system under attack: the attacker's surface, the attacks on it, the judge."""

from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.batches import at_once
from purifold.checks import check_at_least, check_evaluating
from purifold.data.split import Split
from purifold.defenses.base import SECOND_LOOK, Defended
from purifold.errors import InputError
from purifold.evaluation.evasion import WEIGHINGS
from purifold.evaluation.judge import judge
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.surface import Knowledge, View, seen, surface
from purifold.threat import ThreatModel
from purifold.types import Images, Labels

DRAWS = 10
"""Predictions of each image by the judge of a stochastic system, unless told otherwise."""
EOT = 20
"""Draws that a gradient is averaged over, as in AutoAttack's version for randomised defenses."""


def evaluate(
    defended: Defended,
    split: Split,
    attacks: Sequence[Attack],
    threat: ThreatModel,
    knowledge: Knowledge,
    *,
    seed: int,
    draws: int | None = None,
    eot: int = EOT,
    substitute: nn.Module | None = None,
    batch_size: int | None = None,
) -> Outcome:
    """Attacks a defended system with what the attacker knows, and judges it on the deployed path.

    Args:
        defended: In evaluation mode, on the device of `split`.
        split: Images to attack; the whole of it.
        attacks: Each is kept under its name in the outcome; see `craft`.
        threat: The budget.
        knowledge: What the attacker may use.
        seed: Of the attacks and of the judge, whose draws are others.
        draws: Predictions of each image by the judge; `DRAWS` for a stochastic system, else 1.
        eot: Draws that an attacker of a stochastic system averages.
        substitute: The classifier of a `transfer` attacker.
        batch_size: Images at a time; None: `purifold.batches.at_once`.
    """
    adversarial = craft(
        defended,
        split,
        attacks,
        threat,
        knowledge,
        seed=seed,
        eot=eot,
        substitute=substitute,
        batch_size=batch_size,
    )
    draws = (DRAWS if defended.stochastic else 1) if draws is None else draws
    return judge(
        defended, split, adversarial, threat, knowledge, draws=draws, seed=seed, batch_size=batch_size
    )


def craft(
    defended: Defended,
    split: Split,
    attacks: Sequence[Attack],
    threat: ThreatModel,
    knowledge: Knowledge,
    *,
    seed: int,
    eot: int = EOT,
    substitute: nn.Module | None = None,
    batch_size: int | None = None,
) -> dict[str, Images]:
    """Adversarial images of each attack, by its name; a second attack of one name is "pgd-2", in their order.

    An adaptive attacker tries a stochastic system with sampling off ("pgd") and averaged over `eot` draws
    ("pgd+eot20"), by queries only averaged; and a system without a gradient of its own by BPDA ("pgd") and
    on its surrogate alone ("pgd+surrogate"); and the purifier's stand-ins ("pgd+soft"); and a system with
    detectors with several weights on getting past them ("pgd+weighed-1"); and a reclassifier by images that
    are rejected and then taken for others ("pgd+second-look"). The judge's worst case takes all.

    Raises:
        InputError: An attack that needs gradients at `scores` knowledge, which has none.
    """
    check_evaluating(defended, "defended")
    check_at_least(eot, 1, "eot")
    purifier = defended.purifier
    differentiable = purifier is None or purifier.differentiable
    stand_ins = () if purifier is None else tuple(purifier.stand_ins(defended.classifier))
    if len(defended.detectors):
        again = () if defended.reclassifier is None else (SECOND_LOOK,)
        stand_ins = (*stand_ins, *WEIGHINGS, *again)
    eot = eot if defended.stochastic else 1
    return {
        name + view.suffix: craft_on(
            defended,
            split,
            attack,
            threat,
            knowledge,
            view=view,
            seed=seed,
            substitute=substitute,
            batch_size=batch_size,
        )
        for name, attack in numbered(attacks).items()
        for view in views(attack, knowledge, eot, differentiable, stand_ins)
    }


def craft_on(
    defended: Defended,
    split: Split,
    attack: Attack,
    threat: ThreatModel,
    knowledge: Knowledge,
    *,
    view: View,
    seed: int,
    substitute: nn.Module | None = None,
    batch_size: int | None = None,
) -> Images:
    """Adversarial images of one attack on one surface.

    Args:
        defended: The system under attack, in evaluation mode.
        split: Images and true classes.
        attack: With its configuration.
        threat: The budget.
        knowledge: What the attacker may use.
        view: How it looks at the system.
        seed: Of the attack and of the system's draws.
        substitute: As in `surface`.
        batch_size: Images that go through the model at a time, None: `purifold.batches.at_once`; where draws
            are averaged, an image counts once a draw, so that one call takes them all and no forward pass is
            made twice.

    Raises:
        InputError: An attack that needs gradients at `scores` knowledge, which has none.
    """
    check_evaluating(defended, "defended")
    if knowledge == "scores" and attack.needs_gradients:
        raise InputError(f"{attack.name} needs gradients, which scores knowledge has not; use square")
    images, labels = split.images(), split.labels
    size = at_once(images) if batch_size is None else batch_size
    if defended.stochastic:
        size = max(1, size // max(1, view.draws))
    result = torch.empty_like(images)
    for rows, label in _groups(defended, labels, knowledge):
        model = surface(defended, knowledge, view=view, substitute=substitute, label=label)
        result[rows] = attack(model, images[rows], labels[rows], threat, seed=seed, batch_size=size)
    return result


def numbered(attacks: Sequence[Attack]) -> dict[str, Attack]:
    """The attacks by name; the second of one name is "pgd-2", the third "pgd-3"."""
    met: Counter[str] = Counter()
    named = {}
    for attack in attacks:
        met[attack.label] += 1
        named[attack.label if met[attack.label] == 1 else f"{attack.label}-{met[attack.label]}"] = attack
    return named


def views(
    attack: Attack, knowledge: Knowledge, eot: int, differentiable: bool, stand_ins: Sequence[str]
) -> tuple[View, ...]:
    """How an attack is tried on a system.

    Args:
        attack: Which attack.
        knowledge: What the attacker may use.
        eot: Draws to average over; 1 for a deterministic system.
        differentiable: Whether the system's purifier has a gradient of its own.
        stand_ins: Names of what its purifier offers in place of the system, of weighings, `SECOND_LOOK`.
    """
    if knowledge not in ("adaptive", "scores"):
        return (View(),)
    averaged = (View(draws=eot),) if eot > 1 else ()
    if not attack.needs_gradients:
        return averaged or (View(),)
    surrogate = () if differentiable else (View(draws=0),)
    return (View(), *averaged, *surrogate, *(View(stand_in=name) for name in stand_ins))


def _groups(
    defended: Defended, labels: Labels, knowledge: Knowledge
) -> Iterator[tuple[torch.Tensor | slice, int | None]]:
    """Images that one surface serves: all, or those of a class where detectors are to be evaded."""
    if not seen(defended, knowledge):
        yield slice(None), None
        return
    for label in labels.unique().tolist():
        yield labels == label, label
