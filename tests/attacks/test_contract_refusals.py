"""What every attack of the room takes, refuses and says of itself, found by discovery."""

import dataclasses

import pytest
import torch

from purifold.attacks.base import Attack
from purifold.discovery import classes
from purifold.errors import InputError
from purifold.threat import ThreatModel

ATTACKS = classes(Attack)
SHORT = {"cw-l2": {"steps": 2, "search_steps": 1}, "square": {"queries": 5}}
"""Where the defaults would be slow here."""
every_attack = pytest.mark.parametrize("name", ATTACKS)


def short(name: str) -> Attack:
    return ATTACKS[name](**SHORT.get(name, {}))


def test_discovery_finds_the_attacks_of_the_issue():
    assert {"fgsm", "i-fgsm", "rand-fgsm", "mim", "pgd", "square"} <= set(ATTACKS)


@every_attack
def test_takes_an_empty_batch(name, row_wise):
    nothing, nobody = torch.empty(0, 2, 4, 4), torch.empty(0, dtype=torch.long)
    threat = ThreatModel(ATTACKS[name].norms[0], 0.1)
    assert short(name)(row_wise, nothing, nobody, threat).shape == (0, 2, 4, 4)


@every_attack
def test_refuses_what_cannot_be_attacked(name, row_wise, extreme_images):
    images, labels, threat = extreme_images, torch.zeros(64, dtype=torch.long), ThreatModel("l2", 0.1)
    if "l2" not in ATTACKS[name].norms:
        threat = ThreatModel("linf", 0.1)
    attack = short(name)
    for bad, message in (
        (images * 255, r"images must lie in \[0, 1\].*is the scale 0..255"),
        (images.masked_fill(images == 0, torch.nan), "images must not hold NaN"),
    ):
        with pytest.raises(InputError, match=message):
            attack(row_wise, bad, labels, threat)
    for wrong, message in (
        (labels - 1, "labels must lie in"),
        (labels + 3, r"labels must lie in \[0, 3\)"),
    ):
        with pytest.raises(InputError, match=message):
            attack(row_wise, images, wrong, threat)
    with pytest.raises(InputError, match=r"model is in training mode; call model.eval\(\)"):
        attack(row_wise.train(), images, labels, threat)


@every_attack
def test_refuses_norms_and_targets_that_it_cannot_serve(name, row_wise, extreme_images):
    attack, labels = short(name), torch.zeros(64, dtype=torch.long)
    for norm in {"l2", "linf"} - set(attack.norms):
        with pytest.raises(InputError, match=f"{name} works in .*, got norm '{norm}'"):
            attack(row_wise, extreme_images, labels, ThreatModel(norm, 0.1))
    threat = ThreatModel(attack.norms[0], 0.1)
    if not attack.targetable:
        with pytest.raises(InputError, match=f"{name} has no targeted form"):
            attack(row_wise, extreme_images, labels, threat, labels + 1)
    else:
        with pytest.raises(InputError, match=r"targets must lie in \[0, 3\)"):
            attack(row_wise, extreme_images, labels, threat, labels + 3)


@every_attack
def test_repr_names_every_parameter_and_two_of_a_kind_are_equal(name):
    attack = short(name)
    for field in dataclasses.fields(attack):
        assert f"{field.name}={getattr(attack, field.name)!r}" in repr(attack)
    assert repr(attack).startswith(type(attack).__name__ + "(")
    assert attack == short(name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        attack.name = "other"


@every_attack
def test_takes_keywords_only(name):
    if dataclasses.fields(ATTACKS[name]):
        with pytest.raises(TypeError):
            ATTACKS[name](1)


@every_attack
def test_asks_for_gradients_only_if_it_says_so(name, row_wise, extreme_images):
    asked = []

    def watched(images):
        asked.append(images.requires_grad)
        return row_wise(images)

    labels = row_wise(extreme_images).argmax(dim=1)
    short(name)(watched, extreme_images, labels, ThreatModel(ATTACKS[name].norms[0], 0.05))
    assert any(asked) == ATTACKS[name].needs_gradients
