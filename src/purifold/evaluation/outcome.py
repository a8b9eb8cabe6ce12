"""Predictions of each image, clean and attacked: every figure is computed from these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from purifold.defenses.base import REJECTED
from purifold.errors import InputError, unknown
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.surface import Knowledge
from purifold.threat import ThreatModel
from purifold.types import Labels, Mask, Scores

Predictions: TypeAlias = Int[Tensor, "batch draws"]
"""The class of each image in each draw of a stochastic system, `REJECTED` where it was turned away."""


@final
@dataclass(frozen=True, eq=False)
class Attacked:
    """What became of the images of one attack.

    Args:
        predictions: On the deployed path.
        rounded: The same after rounding the adversarial images to 8 bits, as a saved file would.
        l2: Length of each perturbation, before rounding.
        linf: Largest change of a pixel.
        relative_l2: `l2` over the length of the clean image.
    """

    predictions: Predictions
    rounded: Predictions
    l2: Scores
    linf: Scores
    relative_l2: Scores

    def distance(self, norm: str) -> Scores:
        """Each image's perturbation in a norm of the threat models."""
        return self.l2 if norm == "l2" else self.linf


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """One defended system under one threat model, by an attacker of one knowledge; tensors on the CPU.

    An image counts as kept when more than half of its draws do; ties go against the defense.

    Args:
        threat: The budget that every attack kept.
        knowledge: Of the attacker.
        images: Hash of the split, so that outcomes of other images are never compared.
        labels: True classes.
        clean: Predictions on clean images.
        attacked: By the attack's name.
        substitute: Of a `transfer` attacker: the network that was attacked.
    """

    threat: ThreatModel
    knowledge: Knowledge
    images: str
    labels: Labels
    clean: Predictions
    attacked: Mapping[str, Attacked]
    substitute: str = ""

    def __post_init__(self) -> None:
        held = {"clean": self.clean}
        for name, attacked in self.attacked.items():
            held |= {f"{name}.{field}": value for field, value in vars(attacked).items()}
        for name, values in held.items():
            if len(values) != len(self.labels):
                raise InputError(
                    f"{name} must hold {len(self.labels)} images, as labels do, got {len(values)}"
                )

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, attack: str) -> Attacked:
        """What one attack made of the images; refuses one that was not run."""
        if attack not in self.attacked:
            raise unknown("attack", attack, self.attacked)
        return self.attacked[attack]

    def correct_clean(self) -> Mask:
        """Which clean images are accepted and right."""
        return majority(self.clean == self.labels[:, None])

    def accuracy(self) -> Proportion:
        """Share of clean images accepted and right."""
        return Proportion.of(self.correct_clean())

    def robust(self, attack: str | None = None, *, rounded: bool = False) -> Mask:
        """Which images are right when clean and right or rejected when attacked.

        Args:
            attack: One attack; without it the worst case, where an image falls to any of them.
            rounded: Judge the images rounded to 8 bits.
        """
        kept = [majority(self._held(each, rounded)) for each in self._each(attack)]
        return reduce(torch.logical_and, kept, self.correct_clean())

    def robust_accuracy(self, attack: str | None = None, *, rounded: bool = False) -> Proportion:
        """Share of `robust` images."""
        return Proportion.of(self.robust(attack, rounded=rounded))

    def attacked_accuracy(self, attack: str) -> Proportion:
        """Share of the attack's images right or rejected, whatever the clean ones are: what papers print."""
        return Proportion.of(majority(self._held(self.of(attack), False)))

    def single_accuracy(self, attack: str | None = None) -> Proportion:
        """Share of images right or rejected in their first draw, as a paper counts that draws once.

        Args:
            attack: Whose images, whatever the clean ones are; without it the clean ones.
        """
        clean = self.clean == self.labels[:, None]
        held = clean if attack is None else self._held(self.of(attack), False)
        return Proportion.of(held[:, 0])

    def one_shot(self, attack: str | None = None) -> float:
        """Expected share of `robust` images when each is submitted once instead of decided by majority.

        Without `attack` the worst attack of each image. Equal to `robust_accuracy` when nothing is drawn.
        """
        shares = [self._held(each, False).double().mean(dim=1) for each in self._each(attack)]
        return float(reduce(torch.minimum, shares, self.correct_clean().double()).mean())

    def clean_one_shot(self) -> float:
        """Expected share of clean images right when submitted once: the control of `one_shot`."""
        return float((self.clean == self.labels[:, None]).double().mean())

    def clean_rejection(self) -> Proportion:
        """Share of clean images turned away: a loss."""
        return Proportion.of(majority(self.clean == REJECTED))

    def rejection(self, attack: str) -> Proportion:
        """Share of the attack's images turned away: a success."""
        return Proportion.of(majority(self.of(attack).predictions == REJECTED))

    def together(self, attack: str) -> "Outcome":
        """This attack alone, on all the surfaces it was tried on: "pgd" with "pgd+eot20"."""
        tried = {name: found for name, found in self.attacked.items() if name.partition("+")[0] == attack}
        if not tried:
            raise unknown("attack", attack, self.attacked)
        return replace(self, attacked=tried)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What JSON holds of this outcome, and its arrays by name; `from_arrays` turns them back exactly."""
        arrays = {"labels": _small(self.labels), "clean": _small(self.clean)}
        for place, attacked in enumerate(self.attacked.values()):
            arrays |= {f"{place}.{field}": _small(value) for field, value in vars(attacked).items()}
        header = {
            "norm": self.threat.norm,
            "epsilon": str(self.threat.epsilon),  # JSON has no infinity
            "knowledge": self.knowledge,
            "images": self.images,
            "substitute": self.substitute,
            "attacks": list(self.attacked),
        }
        return header, arrays

    @classmethod
    def from_arrays(cls, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> "Outcome":
        """The outcome that `to_arrays` took apart."""
        attacked = {
            name: Attacked(
                **{field: _large(arrays[f"{place}.{field}"]) for field in Attacked.__annotations__}
            )
            for place, name in enumerate(header["attacks"])
        }
        threat = ThreatModel(header["norm"], float(header["epsilon"]))
        labels, clean = _large(arrays["labels"]), _large(arrays["clean"])
        return cls(
            threat,
            header["knowledge"],
            header["images"],
            labels,
            clean,
            attacked,
            header.get("substitute", ""),
        )

    def _each(self, attack: str | None) -> tuple[Attacked, ...]:
        return tuple(self.attacked.values()) if attack is None else (self.of(attack),)

    def _held(self, attacked: Attacked, rounded: bool) -> Bool[Tensor, "batch draws"]:
        predictions = attacked.rounded if rounded else attacked.predictions
        return (predictions == self.labels[:, None]) | (predictions == REJECTED)


def worst(outcomes: Sequence[Outcome], *, rounded: bool = False) -> Mask:
    """Images that are robust in every outcome, such as those of one system under several knowledge levels.

    Refuses outcomes of different images or labels.
    """
    same_images(outcomes)
    return reduce(torch.logical_and, (outcome.robust(rounded=rounded) for outcome in outcomes))


def same_images(outcomes: Sequence[Outcome]) -> None:
    """Refuses outcomes that are not of the same images and labels, in the same order."""
    if not outcomes:
        raise InputError("outcomes must hold at least one outcome, got none")
    first = outcomes[0]
    for outcome in outcomes:
        if outcome.images != first.images or not torch.equal(outcome.labels, first.labels):
            raise InputError(
                f"outcomes must be of the same images and labels, got {first.images} ({len(first)} images) "
                f"and {outcome.images} ({len(outcome)}); evaluate both on the same split"
            )


def majority(hits: Bool[Tensor, "batch draws"]) -> Mask:
    """Images of which more than half of the draws are hits; not those of exactly half."""
    return 2 * hits.sum(dim=1) > hits.shape[1]


def _small(values: Tensor) -> np.ndarray:
    return (values if values.is_floating_point() else values.int()).numpy()


def _large(values: np.ndarray) -> Tensor:
    tensor = torch.from_numpy(values)
    return tensor if tensor.is_floating_point() else tensor.long()
