"""A defended system as steps describe it: all that it says, what an attacker sees of it, what it answers."""

import json

import pytest
import torch

from purifold.defenses.recipe import Recipe, parse
from purifold.engine.step import Resources
from purifold.engine.steps.system import System


@pytest.fixture(scope="module")
def systems(tiny, composed):
    """By the name of the recipe."""
    texts = ("none", "vae:latent_scale=0.5", "magnet:false_positive_rate=0.1", "adversarial-fgsm")
    experiments = composed(tiny(), defenses=texts, attacks=("fgsm",), epsilons=(0.3,))
    return {experiment.system.recipe.name: experiment.system for experiment in experiments}


def test_options_are_written_out_in_full_so_that_another_default_is_another_system(systems, monkeypatch):
    vae = systems["vae"]
    assert json.loads(vae.options) == parse(vae.defense).describe()
    assert json.loads(vae.options)["options"]["latent_scale"] == 0.5
    monkeypatch.setattr("purifold.defenses.recipe.Recipe.describe", lambda recipe: {"name": "changed"})
    assert System.of(vae.classifier, vae.defense, vae.autoencoders) != vae


def test_with_its_sampling_off_it_keeps_what_was_trained(systems):
    vae = systems["vae"]
    assert not vae.still.recipe.stochastic
    assert (vae.still.classifier, vae.still.autoencoders) == (vae.classifier, vae.autoencoders)
    assert systems["magnet"].still == systems["magnet"]


def test_the_bare_system_is_the_same_for_all_defenses_of_a_classifier(systems):
    assert {system.bare for system in systems.values()} == {systems["none"]}


def test_it_answers_as_the_recipe_built_by_hand_of_the_trained_parts(systems, finished):
    for system in systems.values():
        _, bench = finished(system.classifier, *system.autoencoders)
        parts = [step.load(bench) for step in system.autoencoders]
        clean = system.data.part("validation", Resources())
        expected = parse(system.defense).still.build(system.classifier.load(bench), parts, clean)
        images = system.data.part("test", Resources(), 50).images()
        found = system.still.build(bench)
        assert not any(part.training for part in found.modules())
        assert torch.equal(found.predict(images), expected.predict(images))


def test_the_last_ones_built_are_kept_and_no_other_store_s(systems, finished, monkeypatch):
    taken = systems["none"], systems["vae"], systems["magnet"]
    parts = {step for system in taken for step in (system.classifier, *system.autoencoders)}
    (_, bench), (_, elsewhere) = finished(*parts), finished(*parts)
    built = []
    monkeypatch.setattr(
        Recipe,
        "build",
        lambda recipe, *given, build=Recipe.build: (built.append(recipe.name), build(recipe, *given))[1],
    )
    first, second, third = taken
    assert first.build(bench) is first.build(bench)
    assert second.build(bench) is not second.build(elsewhere)
    assert second.build(bench) is second.build(bench)
    third.build(bench)
    first.build(bench)
    assert built == ["none", "vae", "vae", "magnet", "none"]
