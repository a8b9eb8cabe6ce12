"""An experiment: one defended system, attacked with several budgets and knowledge, judged and doubted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import Any, final

from purifold.attacks.base import Attack, MinimumNormAttack
from purifold.engine.manifest import Manifest
from purifold.engine.plan import needed
from purifold.engine.step import Step, canonical
from purifold.engine.steps.audit import Audit, read_checks
from purifold.engine.steps.classifier import Classifying
from purifold.engine.steps.classifier_training import ClassifierTraining, read_accuracy
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.gallery import Gallery
from purifold.engine.steps.judge import Judge, read_outcome
from purifold.engine.steps.system import System
from purifold.engine.steps.training import Training
from purifold.engine.store import Store
from purifold.errors import InputError
from purifold.evaluation.check import OF_ATTACKS, Check
from purifold.evaluation.environment import environment
from purifold.evaluation.evaluate import views
from purifold.evaluation.record import Record
from purifold.evaluation.surface import Knowledge, View
from purifold.threat import Norm, ThreatModel

PICTURES = 8


@final
@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What one record reports.

    Args:
        system: The defended system.
        count: How many test images; see `Split.sample`.
        wide: Test images on which attackers who do not know the defense are judged beside; 0: on no others.
        attacks: Each runs at every budget and knowledge that gives it what it needs.
        norm: Of the budgets.
        epsilons: Budgets, ascending.
        knowledge: Of the attackers.
        substitutes: The classifiers of `transfer` attackers, one each.
        draws: Predictions of each image by a stochastic system.
        eot: Draws that gradients of a stochastic system are averaged over.
        averaged: Names of the attacks for which they are; the others run with sampling off only. None: all.
        through: Stand-ins that adaptive attackers work through, where a system takes too long for anyone to
            follow it; empty: the system itself, and all of them.
        audit: Images that each sanity check tries; 0: only the checks that need no attack of their own.
        pictures: Images in the gallery; 0: no gallery.
        seed: Of attacks, draws and checks.
    """

    system: System
    count: int
    attacks: tuple[Attack, ...]
    norm: Norm
    epsilons: tuple[float, ...]
    knowledge: tuple[Knowledge, ...]
    substitutes: tuple[Classifying, ...] = ()
    draws: int
    eot: int
    averaged: tuple[str, ...] | None = None
    through: tuple[str, ...] = ()
    audit: int
    pictures: int = PICTURES
    wide: int = 0
    seed: int

    def __post_init__(self) -> None:
        if not (self.attacks and self.epsilons and self.knowledge):
            raise InputError("an experiment needs at least one attack, one budget and one knowledge level")
        if "scores" in self.knowledge and all(attack.needs_gradients for attack in self.attacks):
            raise InputError(
                "scores knowledge needs an attack that asks for no gradient; add --attack square"
            )
        for epsilon in self.epsilons:
            ThreatModel(self.norm, epsilon)  # refuses what is no budget
        for attack in self.attacks:
            if self.norm not in attack.norms:
                raise InputError(
                    f"{attack.name} works in {' and '.join(attack.norms)}, got norm {self.norm!r}"
                )

    @property
    def name(self) -> str:
        """Of its record: data set, classifier, defense and any other norm, as a file name may hold them."""
        system, norm = self.system, "" if self.norm == "linf" else f"-{self.norm}"
        return file_name(f"{system.data.name}-{system.classifier.network}-{system.defense}{norm}")

    @cached_property
    def judged(self) -> tuple[Judge, ...]:
        """The outcomes, by knowledge and then budget."""
        return tuple(
            self._judge(knowledge, ThreatModel(self.norm, epsilon), substitute)
            for knowledge in self.knowledge
            for substitute in (self.substitutes if knowledge == "transfer" else (None,))
            for epsilon in self.epsilons
        )

    @cached_property
    def widely(self) -> tuple[Judge, ...]:
        """The outcomes of attackers who do not know the defense, on `wide` images, by budget."""
        if not self.wide:
            return ()
        return replace(self, count=self.wide, knowledge=("oblivious",), wide=0).judged

    @cached_property
    def doubted(self) -> Audit:
        """The sanity checks."""
        return Audit(
            system=self.system,
            count=self.count,
            images=self.audit,
            attacks=self.attacks,
            threat=ThreatModel(self.norm, self.epsilons[-1]),
            judged=self.judged,
            eot=self.eot,
            seed=self.seed,
        )

    @cached_property
    def shown(self) -> Gallery | None:
        """Pictures of the first attack at the middle budget; None where none are wanted."""
        if not self.pictures:
            return None
        threat = ThreatModel(self.norm, middle(self.epsilons))
        crafts = {knowledge: self.crafts(knowledge, threat) for knowledge in self.knowledge}
        return Gallery(
            system=self.system,
            count=self.count,
            images=min(self.pictures, self.count),
            threat=threat,
            crafts=tuple(found[0] for found in crafts.values()),
            knowledge=tuple(crafts),
            seed=self.seed,
        )

    def trainings(self) -> tuple[Training[Any], ...]:
        """What was trained for it."""
        steps = (self.system.classifier, *self.system.autoencoders, *self.substitutes)
        return tuple(step for step in steps if isinstance(step, Training))

    def steps(self) -> tuple[Step, ...]:
        """The artefacts that the report is made of; everything else follows from them."""
        gallery = self.shown
        shown = () if gallery is None else (gallery,)
        made = dict.fromkeys((self.system.classifier, *self.trainings()))
        return (*made, *self.judged, *self.widely, self.doubted, *shown)

    def record(self, store: Store, title: str, command: str, beside: Sequence["Experiment"] = ()) -> Record:
        """The record, out of a store that has all of `steps`; what they were made of may be gone.

        An experiment whose checks make no attack has, of those `beside` it, the verdict on the same attacks
        against its bare classifier: where they are too weak for that, they say nothing of any defense.
        """
        outcomes, wide = (
            tuple(read_outcome(store.fetch(judged)) for judged in found)
            for found in (self.judged, self.widely)
        )
        split = {
            "name": self.system.data.name,
            "part": "test",
            "hash": outcomes[0].images,
            "count": self.count,
        }
        manifests = [
            store.manifest(step) for step in needed(self.steps(), lambda step: False)[1] if store.has(step)
        ]
        return Record(
            title=title,
            command=command,
            created=max(manifest.created for manifest in manifests),
            seconds=round(sum(manifest.seconds for manifest in manifests), 3),
            data=split,
            classifier=_classifier(self.system.classifier, store),
            defense=self._defense(),
            attacks=tuple(repr(attack) for attack in self.attacks),
            seed=self.seed,
            draws=outcomes[0].clean.shape[1],
            eot=self.eot,
            checks=self._checks(store, beside),
            environment=_environment(manifests),
            outcomes=outcomes,
            wide=wide,
        )

    def _checks(self, store: Store, beside: Sequence["Experiment"]) -> tuple[Check, ...]:
        own = read_checks(store.fetch(self.doubted))
        if self.audit:
            return tuple(own)
        lent = (read_checks(store.fetch(other.doubted)) for other in beside if other._tries_attacks_of(self))
        return (*own, *(check for found in lent for check in found if check.name == OF_ATTACKS))

    def _tries_attacks_of(self, other: "Experiment") -> bool:
        """Whether its checks try the other's attacks at that budget on the other's bare classifier."""
        ours, theirs = ((it.attacks, it.norm, it.epsilons[-1]) for it in (self, other))
        return self.audit > 0 and self.system == other.system.bare and ours == theirs

    def _judge(self, knowledge: Knowledge, threat: ThreatModel, substitute: Classifying | None) -> Judge:
        return Judge(
            system=self.system,
            count=self.count,
            crafts=self.crafts(knowledge, threat, substitute),
            threat=threat,
            knowledge=knowledge,
            draws=self.draws,
            seed=self.seed,
        )

    def crafts(
        self, knowledge: Knowledge, threat: ThreatModel, substitute: Classifying | None = None
    ) -> tuple[Craft, ...]:
        """The adversarial images of one outcome: by attack, and then by surface, sampling off first."""
        if knowledge == "transfer" and substitute is None:
            substitute = self.substitutes[0]
        recipe = self.system.recipe
        return tuple(
            self._craft(attack, knowledge, threat, view, substitute)
            for attack in self.attacks
            if knowledge != "scores" or not attack.needs_gradients
            for view in views(attack, knowledge, self._eot(attack), recipe.differentiable, recipe.offered)
            if knowledge != "adaptive" or not self.through or view.stand_in in self.through
        )

    def _eot(self, attack: Attack) -> int:
        averaged = self.averaged is None or attack.name in self.averaged
        return self.eot if averaged and self.system.recipe.stochastic else 1

    def _craft(
        self,
        attack: Attack,
        knowledge: Knowledge,
        threat: ThreatModel,
        view: View,
        substitute: Classifying | None,
    ) -> Craft:
        if isinstance(attack, MinimumNormAttack) and threat.norm not in attack.boxed:
            threat = ThreatModel(threat.norm, math.inf)  # one search serves every budget
        return Craft.of(
            self.system,
            self.count,
            attack,
            threat,
            knowledge,
            view=view,
            substitute=substitute,
            seed=self.seed,
        )

    def _defense(self) -> Mapping[str, Any]:
        return {
            "name": self.system.defense,
            "options": self.system.options,
            "autoencoders": [step.describe() for step in self.system.autoencoders],
        }


def middle(epsilons: Sequence[float]) -> float:
    """The budget that galleries show; the lower one of two."""
    return epsilons[(len(epsilons) - 1) // 2]


def file_name(defense: str) -> str:
    """The defense's name in letters that a file name may hold on any system."""
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in defense)


def _environment(manifests: Sequence[Manifest]) -> Mapping[str, Any]:
    """Where the last step was made, on how many kinds of machine all were, and the commit that reports."""
    last = max(manifests, key=lambda manifest: manifest.created)
    kinds = {canonical(manifest.hardware) for manifest in manifests}
    commit = _here()["commit"]
    return {**last.hardware, **last.versions, "kinds of machine": len(kinds), "commit": commit}


@cache
def _here() -> Mapping[str, Any]:
    return environment()


def _classifier(step: Classifying, store: Store) -> Mapping[str, Any]:
    accuracy = read_accuracy(store.fetch(step))
    made: dict[str, Any] = (
        {"config": asdict(step.config), "seed": step.seed}
        if isinstance(step, ClassifierTraining)
        else {"weights": step.weights}
    )
    return {
        "network": step.network,
        **made,
        "test_correct": accuracy.successes,
        "test_images": accuracy.trials,
    }
