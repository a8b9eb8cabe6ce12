"""What an attacker of given knowledge differentiates or queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final, get_args

import torch
from torch import nn

from purifold.attacks.adaptive import Averaged, StraightThrough
from purifold.checks import check_at_least, check_evaluating
from purifold.defenses.base import SECOND_LOOK, Defended, Detector, Purifier
from purifold.errors import InputError, unknown
from purifold.evaluation.evasion import WEIGHINGS, evading, provoking, weighing
from purifold.types import Images, Logits, Model

Knowledge = Literal["oblivious", "transfer", "adaptive", "scores"]
"""What the attacker may use: the bare classifier, another classifier, everything, or queries only."""


@final
@dataclass(frozen=True, kw_only=True)
class View:
    """How an attacker looks at what is attacked.

    Args:
        draws: Of a stochastic system: at 1 an adaptive attacker turns sampling off, above that the logits
            are averaged over so many draws (EOT); `scores` averages always. A deterministic system is the
            same at any number above 0. At 0 an adaptive attacker works on the purifier's surrogate alone,
            forward as well as backward: where a surrogate's gradient stands in, its own optimum may
            deceive the system better than the mixture does.
        stand_in: One of the purifier's `stand_ins`, which an adaptive attacker then attacks in its place; or
            of `WEIGHINGS`, how getting past detectors and classifier are added up; or `SECOND_LOOK`, where he
            has images rejected that the reclassifier is wrong about.
    """

    draws: int = 1
    stand_in: str = ""

    @property
    def suffix(self) -> str:
        """What the name of an attack has behind it: "", "+eot20", "+surrogate", or the stand-in's name."""
        if self.stand_in:
            return f"+{self.stand_in}"
        return {0: "+surrogate", 1: ""}.get(self.draws, f"+eot{self.draws}")


DIRECT = View()


def surface(
    defended: Defended,
    knowledge: Knowledge,
    *,
    view: View = DIRECT,
    substitute: nn.Module | None = None,
    label: int | None = None,
) -> Model:
    """The model that an attacker of this knowledge works on.

    `oblivious` is the bare classifier and `transfer` the substitute. `adaptive` is the whole system with
    its exact gradient; a purifier that is not differentiable gets its surrogate's (BPDA). `scores` is the
    whole system as deployed, without a gradient. Detectors, where there are any, are part of the last two
    (see `evading`). A reclassifier is attacked in a view of its own (see `provoking`).

    Args:
        defended: The system under attack, in evaluation mode.
        knowledge: What the attacker may use.
        view: How.
        substitute: The classifier of a `transfer` attacker; refused with other knowledge.
        label: True class of all images that the surface will be given; a system with detectors needs it.
    """
    _check(defended, knowledge, view, substitute)
    if knowledge == "oblivious":
        return defended.classifier
    if substitute is not None:
        return substitute
    model = _deployed(defended, view.draws) if knowledge == "scores" else _adaptive(defended, view)
    detectors = [part for part in defended.detectors if isinstance(part, Detector)]
    if detectors:
        if label is None:
            raise InputError(
                "label must be the class of all images, got None; detectors are evaded a class at a time"
            )
        model = _past(defended, model, detectors, label, view.stand_in)
    return _without_gradient(model) if knowledge == "scores" else model


def _past(
    defended: Defended, model: Model, detectors: Sequence[Detector], label: int, stand_in: str
) -> Model:
    """Detectors in the way of a model, or of the reclassifier."""
    if stand_in == SECOND_LOOK and defended.reclassifier is not None:
        return provoking(defended.reclassifier.scores, detectors, label)
    if stand_in in WEIGHINGS:
        return weighing(model, detectors, label, WEIGHINGS[stand_in])
    return evading(model, detectors, label)


def seen(defended: Defended, knowledge: Knowledge) -> bool:
    """Whether an attacker of this knowledge has detectors to evade, and so needs a surface for each class."""
    return len(defended.detectors) > 0 and knowledge in ("adaptive", "scores")


def _check(defended: Defended, knowledge: Knowledge, view: View, substitute: nn.Module | None) -> None:
    if knowledge not in get_args(Knowledge):
        raise unknown("knowledge", str(knowledge), get_args(Knowledge))
    check_evaluating(defended, "defended")
    check_at_least(view.draws, 0, "draws")
    if knowledge == "transfer" and substitute is None:
        raise InputError("substitute must be a classifier for transfer knowledge, got None")
    if view.stand_in == SECOND_LOOK and (defended.reclassifier is None or not len(defended.detectors)):
        raise InputError(f"{SECOND_LOOK} needs a system with detectors and a reclassifier")
    if substitute is not None:
        if knowledge != "transfer":
            raise InputError(
                f"substitute must be left out for {knowledge} knowledge; only transfer attacks one"
            )
        check_evaluating(substitute, "substitute")


def _deployed(defended: Defended, draws: int) -> Model:
    purifier = defended.purifier
    if purifier is None or not purifier.stochastic or draws == 1:
        return defended
    return _averaged(purifier, defended.classifier, draws)


def _adaptive(defended: Defended, view: View) -> Model:
    purifier, classifier, draws = defended.purifier, defended.classifier, view.draws
    if view.stand_in and view.stand_in not in (*WEIGHINGS, SECOND_LOOK):
        found = {} if purifier is None else purifier.stand_ins(classifier)
        if view.stand_in not in found:
            raise unknown("stand-in", view.stand_in, found)
        return found[view.stand_in]
    if purifier is None:
        return classifier
    if draws == 0 or (purifier.stochastic and draws == 1):
        return lambda images: classifier(purifier.surrogate(images))
    if purifier.differentiable and purifier.stochastic:
        return _averaged(purifier, classifier, draws)
    purify = purifier if purifier.differentiable else StraightThrough(purifier, purifier.surrogate)

    def system(images: Images) -> Logits:
        return classifier(purify(images))

    return Averaged(system, draws) if purifier.stochastic else system


def _averaged(purifier: Purifier, classifier: nn.Module, draws: int) -> Model:
    """Mean logits over draws that share what no draw changes: an encoder runs once, not once a draw."""
    mean = Averaged(lambda settled: classifier(purifier.drawn(settled)), draws)
    return lambda images: mean(purifier.settled(images))


def _without_gradient(model: Model) -> Model:
    @torch.no_grad()
    def answer(images: Images) -> Logits:
        return model(images)

    return answer
