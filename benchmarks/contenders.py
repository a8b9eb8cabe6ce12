"""The attacks that are compared: ours, Foolbox's, ART's and torchattacks', at the same settings."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from purifold.attacks.base import Attack
from purifold.attacks.cw import CarliniWagner
from purifold.attacks.deepfool import DeepFool
from purifold.attacks.fgsm import FGSM
from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.threat import ThreatModel

Call = Callable[[Tensor, Tensor, int], Tensor]
"""Images, labels and the seed of a turn to adversarial images."""
REPEATS = {"cw-l2": 3, "deepfool": 5, "pgd-40": 5, "fgsm": 25, "square": 9}
"""Runs timed of each attack: more of those that are over soon, or whose search is a matter of luck."""
OVERSHOOT = 0.02
"""Of DeepFool, as its paper has it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all libraries are given.

    Args:
        images: How many are attacked.
        few: How many where an attack takes minutes otherwise; its seconds are scaled, and marked.
        repeats: Runs timed, by attack; one where an attack takes minutes.
        shape: Of an image.
        epsilon: L-infinity budget of FGSM, PGD and Square.
        step: Of PGD, on the pixel scale.
        pgd: Steps of PGD.
        cw: Steps of Carlini-Wagner in each of its searches.
        searches: Its binary search steps.
        deepfool: Steps of DeepFool.
        queries: Of Square.
    """

    images: int
    few: int
    repeats: Mapping[str, int]
    shape: tuple[int, int, int]
    epsilon: float
    step: float
    pgd: int = 40
    cw: int = 100
    searches: int = 9
    deepfool: int = 50
    queries: int = 1_000


@dataclass(frozen=True)
class Contender:
    """One library's attack.

    Args:
        work: "cw-l2", "deepfool", "pgd-40", "fgsm" or "square".
        library: Whose.
        images: How many it is given.
        repeats: Runs timed.
        call: The attack.
    """

    work: str
    library: str
    images: int
    repeats: int
    call: Call


def contenders(model: nn.Module, given: Settings) -> Iterator[Contender]:
    """Everything that is compared; peers that are not installed are left out, and that is said."""
    yield from _ours(model, given)
    for peer in (_foolbox, _art, _torchattacks):
        try:
            yield from peer(model, given)
        except ImportError as error:
            print(f"left out: {error}; `make bench` installs it")


def _ours(model: nn.Module, given: Settings) -> Iterator[Contender]:
    ball, free = ThreatModel("linf", given.epsilon), ThreatModel("l2", math.inf)
    pgd = PGD(steps=given.pgd, step=given.step / given.epsilon)
    carlini_wagner = CarliniWagner(steps=given.cw, search_steps=given.searches, rate=0.1)
    attacks: list[tuple[str, str, Attack, ThreatModel]] = [
        ("cw-l2", "purifold", carlini_wagner, free),
        ("deepfool", "purifold", DeepFool(steps=given.deepfool, overshoot=OVERSHOOT), free),
        ("pgd-40", "purifold", replace(pgd, confidence=0.0), ball),
        ("pgd-40", "purifold, all", pgd, ball),  # goes on after the first success
        ("fgsm", "purifold", FGSM(), ball),
        ("square", "purifold", Square(queries=given.queries), ball),
    ]
    for work, name, attack, threat in attacks:

        def call(
            images: Tensor, labels: Tensor, seed: int, attack: Attack = attack, threat: ThreatModel = threat
        ) -> Tensor:
            return attack(model, images, labels, threat, seed=seed)

        yield Contender(work, name, given.images, given.repeats[work], call)


def _foolbox(model: nn.Module, given: Settings) -> Iterator[Contender]:
    from foolbox import PyTorchModel, attacks

    wrapped = PyTorchModel(model, bounds=(0, 1), device="cpu")
    carlini_wagner = attacks.L2CarliniWagnerAttack(given.searches, given.cw, stepsize=0.1)
    found = {
        "cw-l2": (carlini_wagner, None),
        "deepfool": (attacks.L2DeepFoolAttack(steps=given.deepfool, overshoot=OVERSHOOT), None),
        "pgd-40": (attacks.LinfPGD(abs_stepsize=given.step, steps=given.pgd), given.epsilon),
        "fgsm": (attacks.LinfFastGradientAttack(), given.epsilon),
    }
    for work, (attack, epsilon) in found.items():

        def call(
            images: Tensor, labels: Tensor, seed: int, attack: Any = attack, epsilon: Any = epsilon
        ) -> Tensor:
            return attack(wrapped, images, labels, epsilons=epsilon)[1]

        yield Contender(work, "foolbox", given.images, given.repeats[work], call)


def _art(model: nn.Module, given: Settings) -> Iterator[Contender]:
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    wrapped = PyTorchClassifier(model, nn.CrossEntropyLoss(), given.shape, 10, clip_values=(0, 1))
    size, epsilon = {"batch_size": given.images}, given.epsilon
    quiet = {**size, "verbose": False}
    carlini_wagner = evasion.CarliniL2Method(
        wrapped, learning_rate=0.1, max_iter=given.cw, binary_search_steps=given.searches, **quiet
    )
    deepfool = evasion.DeepFool(wrapped, max_iter=given.deepfool, epsilon=OVERSHOOT, nb_grads=10, **quiet)
    pgd = evasion.ProjectedGradientDescentPyTorch(
        wrapped, eps=epsilon, eps_step=given.step, max_iter=given.pgd, num_random_init=1, **quiet
    )
    found = {
        "cw-l2": (carlini_wagner, True),
        "deepfool": (deepfool, True),
        "pgd-40": (pgd, False),
        "fgsm": (evasion.FastGradientMethod(wrapped, eps=epsilon, **size), False),
        "square": (
            evasion.SquareAttack(wrapped, eps=epsilon, max_iter=given.queries, p_init=0.8, **quiet),
            False,
        ),
    }
    for work, (attack, slow) in found.items():

        def call(images: Tensor, labels: Tensor, seed: int, attack: Any = attack) -> Tensor:
            return torch.from_numpy(attack.generate(x=images.numpy(), y=labels.numpy()))

        images, repeats = (given.few, 1) if slow else (given.images, given.repeats[work])
        yield Contender(work, "art", images, repeats, call)


def _torchattacks(model: nn.Module, given: Settings) -> Iterator[Contender]:
    import torchattacks

    epsilon = given.epsilon
    found = {
        "cw-l2": (torchattacks.CW(model, c=1, kappa=0, steps=given.cw, lr=0.1), False),
        "deepfool": (torchattacks.DeepFool(model, steps=given.deepfool, overshoot=OVERSHOOT), True),
        "pgd-40": (torchattacks.PGD(model, eps=epsilon, alpha=given.step, steps=given.pgd), False),
        "fgsm": (torchattacks.FGSM(model, eps=epsilon), False),
        "square": (torchattacks.Square(model, eps=epsilon, n_queries=given.queries), False),
    }
    for work, (attack, slow) in found.items():

        def call(images: Tensor, labels: Tensor, seed: int, attack: Any = attack) -> Tensor:
            attack.seed = seed  # of Square, which sets torch's generator itself
            return attack(images, labels)

        images, repeats = (given.few, 1) if slow else (given.images, given.repeats[work])
        yield Contender(work, "torchattacks", images, repeats, call)
