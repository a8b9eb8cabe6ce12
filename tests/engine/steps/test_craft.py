"""Attacked images: reduced to what the attacker sees, and those that the attack makes by itself."""

from dataclasses import replace

import pytest
import torch

from purifold.attacks.fgsm import FGSM
from purifold.engine.step import Resources
from purifold.engine.steps.craft import Craft
from purifold.evaluation.surface import View
from purifold.threat import ThreatModel

THREAT = ThreatModel("linf", 0.2)
AVERAGED, STAND_IN = View(draws=5), View(stand_in="soft")


@pytest.fixture(scope="module")
def systems(tiny, composed):
    """The bare classifier and one behind a VAE, beside the classifier of a transfer attacker."""
    bare, vae = composed(
        tiny(), defenses=("none", "vae"), attacks=("fgsm",), epsilons=(0.2,), knowledge=("transfer",)
    )
    return bare.system, vae.system, vae.substitutes[0]


def craft(system, knowledge, view=View(), substitute=None):  # noqa: B008
    return Craft.of(system, 12, FGSM(), THREAT, knowledge, view=view, substitute=substitute, seed=4)


@pytest.mark.parametrize("view", [View(), AVERAGED, STAND_IN])
def test_who_does_not_know_the_defense_sees_the_bare_classifier_in_one_view(systems, view):
    bare, vae, other = systems
    assert craft(vae, "oblivious", view) == craft(bare, "oblivious")
    assert craft(vae, "transfer", view, other) == craft(bare, "transfer", substitute=other)
    assert craft(bare, "adaptive", view).knowledge == "oblivious"


def test_who_knows_it_sees_it_still_or_averaged_or_what_stands_in_for_it(systems):
    _, vae, other = systems
    still, averaged, stand_in = (craft(vae, "adaptive", view, other) for view in (View(), AVERAGED, STAND_IN))
    assert still.system == stand_in.system == vae.still
    assert averaged.system == vae
    assert [found.view for found in (still, averaged, stand_in)] == [View(), AVERAGED, STAND_IN]
    assert {found.substitute for found in (still, averaged, stand_in)} == {None}


def test_on_the_surrogate_alone_systems_share_images_where_it_changes_nothing(composed, tiny, monkeypatch):
    rough, fine = composed(tiny(), defenses=("jpeg:quality=10", "jpeg:quality=75"), attacks=("fgsm",))
    alone = craft(rough.system, "adaptive", View(draws=0))
    assert alone == craft(fine.system, "adaptive", View(draws=0))
    assert alone.system == rough.system.bare
    assert alone.view.suffix == "+surrogate"
    assert craft(rough.system, "adaptive") != craft(fine.system, "adaptive")
    opaque = replace(rough.system.recipe, transparent=False)
    monkeypatch.setattr("purifold.engine.steps.system.parse", lambda text: opaque)
    assert craft(rough.system, "adaptive", View(draws=0)).system == rough.system


def test_queries_go_to_the_system_as_it_is_deployed(systems):
    assert craft(systems[1], "scores").system == systems[1]


def test_the_images_are_those_of_the_attack_on_the_model_that_is_seen(systems, finished):
    bare, vae, other = systems
    steps = {
        "oblivious": craft(vae, "oblivious"),
        "transfer": craft(vae, "transfer", substitute=other),
        "adaptive": craft(vae, "adaptive"),
    }
    _, bench = finished(*steps.values(), bare.classifier, other, *vae.autoencoders)
    split = vae.data.part("test", Resources(), 12)
    models = {
        "oblivious": bare.classifier.load(bench),
        "transfer": other.load(bench),
        "adaptive": vae.still.build(bench),
    }
    for knowledge, step in steps.items():
        expected = FGSM()(models[knowledge], split.images(), split.labels, THREAT, seed=4)
        torch.testing.assert_close(step.load(bench), expected)
    found = [step.load(bench) for step in steps.values()]
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
