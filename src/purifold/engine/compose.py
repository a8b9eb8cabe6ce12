"""From names to experiments: what the command line and the papers ask for, as steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from types import NoneType, UnionType
from typing import Any, cast, final, get_args, get_type_hints

from purifold.attacks.base import Attack
from purifold.data.load import defaults
from purifold.defenses.recipe import parse
from purifold.discovery import classes
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.classifier import Classifying
from purifold.engine.steps.data import Data
from purifold.engine.steps.system import System
from purifold.engine.trainings import Workshop
from purifold.errors import InputError, unknown
from purifold.evaluation.surface import Knowledge
from purifold.options import Option, chosen, settings
from purifold.randomness import seeded
from purifold.threat import Norm

SUBSTITUTE = "mlp"


@final
@dataclass(frozen=True, kw_only=True)
class Question:
    """What to evaluate, by name; None leaves it to the data set or the scale.

    Args:
        data: As `purifold.data.load` takes it.
        defenses: As `purifold.defenses.recipe.parse` takes them.
        attacks: As `attack` takes them.
        norm: Of the budgets.
        epsilons: Budgets.
        knowledge: Of the attackers; `adaptive` is always added, since the others alone flatter a defense.
        images: Test images.
        checked: Of these each sanity check of a defense attacks so many; those of the bare classifier stay.
        classifier: Network of the classifier.
        autoencoder: Networks of the autoencoders, unless a defense names its own.
        latent: Their latent size, likewise.
        substitutes: Networks of the classifiers that `transfer` attackers have, one each.
        seed: Of everything random.
    """

    data: str
    defenses: tuple[str, ...]
    attacks: tuple[str, ...]
    norm: Norm = "linf"
    epsilons: tuple[float, ...] | None = None
    knowledge: tuple[Knowledge, ...] = ("oblivious", "adaptive")
    images: int | None = None
    checked: int | None = None
    classifier: str | None = None
    autoencoder: str | None = None
    latent: int | None = None
    substitutes: tuple[str, ...] = (SUBSTITUTE,)
    seed: int = 0


def compose(question: Question, scale: Scale, resources: Resources) -> list[Experiment]:
    """One experiment a defense; they share the classifier, the bare attacks and equal autoencoders."""
    data = Data.named(question.data, resources)
    test = len(data.part("test", resources))
    count = min(question.images or scale.images, test)
    shop = Workshop(data=data, scale=scale, resources=resources, seed=question.seed, spared=count)
    classifier = shop.classifier(question.classifier or defaults(question.data).classifier)
    transfer = "transfer" in question.knowledge
    other = replace(shop, seed=question.seed + 1)  # the attacker's copy has weights of its own
    substitutes = tuple(other.classifier(network) for network in question.substitutes if transfer)
    systems = [_system(defense, classifier, question, shop) for defense in question.defenses]
    _rehearse(systems, classifier, resources)
    return [
        Experiment(
            system=system,
            count=count,
            attacks=tuple(attack(text) for text in question.attacks),
            norm=question.norm,
            epsilons=_epsilons(question),
            knowledge=tuple(dict.fromkeys((*question.knowledge, "adaptive"))),
            substitutes=substitutes,
            draws=scale.draws,
            eot=scale.eot,
            audit=scale.audit if question.checked is None or system == system.bare else question.checked,
            seed=question.seed,
        )
        for system in systems
    ]


def attack(text: str) -> Attack:
    """The attack that `text` names, "pgd" or "pgd:steps=100,restarts=5"; refuses names that are not."""
    name, given = settings(text)
    found = classes(Attack)  # type: ignore[type-abstract]
    if name not in found:
        raise unknown("attack", name, found)
    settled = chosen(f"attack {name}", given, options(found[name]))
    try:
        return found[name](**settled)
    except InputError as error:
        raise InputError(f"attack {name}: {error}") from error


def options(attack: type[Attack]) -> dict[str, Option]:
    """What can be set on an attack, by name."""
    types = get_type_hints(attack)
    return {
        field.name: Option(field.name, _one_type(types[field.name]), cast(Any, field.default))
        for field in fields(cast(Any, attack))
    }


def _one_type(kind: Any) -> Any:
    """The type that text is read as: an option that may be None is set to something else or left out."""
    kinds = [member for member in get_args(kind) if member is not NoneType]
    return kinds[0] if isinstance(kind, UnionType) else kind


def _epsilons(question: Question) -> tuple[float, ...]:
    if question.epsilons is not None:
        if not all(0 < epsilon < math.inf for epsilon in question.epsilons):
            given = ", ".join(f"{epsilon:g}" for epsilon in question.epsilons)
            raise InputError(
                f"epsilon must be above 0 and finite, got {given}; the accuracy at 0 is the clean one, "
                "and an unbounded attack is among the sanity checks"
            )
        return tuple(sorted(set(question.epsilons)))
    if question.norm != "linf":
        raise InputError(f"say the budgets for norm {question.norm}: --epsilon 0.5 --epsilon 1")
    return defaults(question.data).epsilons


def _system(defense: str, classifier: Classifying, question: Question, shop: Workshop) -> System:
    known = defaults(question.data)
    specs = parse(defense).specs(
        network=question.autoencoder or known.autoencoder,
        latent=question.latent or known.latent,
        classifier=classifier.network,
        epsilon=_epsilons(question)[-1],
    )
    return System.of(classifier, defense, tuple(shop.training(spec) for spec in specs))


def _rehearse(systems: Sequence[System], classifier: Classifying, resources: Resources) -> None:
    """Assembles the systems untrained: what cannot work is refused now, not after the training.

    One of each recipe answers, too, with the least effort: options change no shapes. Thresholds are set by as
    many images as they need, if the data set has them: by all of them, a grid of many systems would be
    minutes in planning.
    """
    data = classifier.data.load(resources)
    first = {system.recipe.name: system for system in reversed(systems)}
    with seeded(0):
        bare = classifier.build(resources).to(resources.device).eval()
        for system in systems:
            trained = [step.build(resources).to(resources.device).eval() for step in system.autoencoders]
            held = None if data.validation is None else data.validation.first(system.recipe.least)
            recipe, brief = system.recipe, system.recipe.brief
            defended = recipe.build(bare, trained, held)
            if system is first[recipe.name]:
                defended = defended if brief == recipe else brief.build(bare, trained, held)
                defended.predict(data.test.first(1).images())
