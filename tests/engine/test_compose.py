"""Names become experiments, and what cannot work is refused before anything is trained."""

from dataclasses import replace

import pytest

from purifold.data.load import sources
from purifold.defenses.defense_gan import Projection
from purifold.defenses.recipe import Recipe
from purifold.engine.compose import Question, attack, compose
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.errors import InputError
from purifold.networks.base import autoencoder_names, classifier_names

QUESTION = Question(data="digits", defenses=("vae",), attacks=("pgd",))


def composed(**changes):
    return compose(replace(QUESTION, **changes), SCALES["smoke"], Resources())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pdg", "did you mean 'pgd'"),
        ("pgd:restart=3", "did you mean 'restarts'"),
        ("pgd:steps=three", "attack pgd: option steps must be int, got 'three'"),
        ("pgd:steps=0", "attack pgd: steps must be"),
        ("pgd:steps", "name=value"),
    ],
)
def test_an_attack_that_does_not_exist_is_refused_with_what_does(text, says):
    with pytest.raises(InputError, match=says):
        attack(text)


def test_options_of_an_attack_reach_it():
    found = attack("pgd:steps=7,step=0.2,random_start=false,loss=margin")
    assert (found.steps, found.step, found.random_start, found.loss) == (7, 0.2, False, "margin")


def test_a_data_set_says_what_the_user_leaves_out():
    (experiment,) = composed()
    defaults = sources()["digits"].defaults
    assert experiment.epsilons == defaults.epsilons
    assert experiment.system.classifier.network == defaults.classifier
    assert experiment.system.autoencoders[0].spec.network == defaults.autoencoder
    assert experiment.system.autoencoders[0].spec.latent == defaults.latent


def test_what_the_user_says_comes_first():
    (experiment,) = composed(
        defenses=("vae:latent=5",), epsilons=(0.2, 0.1, 0.2), classifier="mlp", images=7, seed=3
    )
    assert experiment.epsilons == (0.1, 0.2)
    assert experiment.system.classifier.network == "mlp"
    assert experiment.system.autoencoders[0].spec.latent == 5
    assert (experiment.count, experiment.seed, experiment.system.classifier.seed) == (7, 3, 3)


@pytest.mark.parametrize(("checked", "audits"), [(None, [32, 32]), (3, [32, 3]), (0, [32, 0])])
def test_fewer_images_may_be_checked_though_not_of_the_bare_classifier(checked, audits):
    found = composed(defenses=("none", "vae"), checked=checked)
    assert [experiment.audit for experiment in found] == audits


def test_only_a_transfer_attacker_has_a_substitute():
    assert composed()[0].substitutes == ()
    found = composed(knowledge=("transfer",), substitutes=("mlp", "small-cnn"))[0]
    assert [substitute.network for substitute in found.substitutes] == ["mlp", "small-cnn"]


def test_an_ensemble_trains_what_its_members_train():
    alone = {
        step.key
        for experiment in composed(defenses=("ae", "dae", "vae", "dvae"))
        for step in experiment.system.autoencoders
    }
    together = {step.key for step in composed(defenses=("ensemble",))[0].system.autoencoders}
    assert together == alone


def test_every_data_set_names_networks_that_exist():
    for source in sources().values():
        if source.defaults is not None:
            assert source.defaults.classifier in classifier_names()
            assert source.defaults.autoencoder in autoencoder_names()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"defenses": ("vea",)}, "did you mean 'vae'"),
        ({"defenses": ("vae:latent_scale=99",)}, "latent_scale"),
        ({"defenses": ("defense-gan:steps=0",)}, "steps must be 1 or above"),
        ({"autoencoder": "patch-vae-64"}, "patch-vae-64"),
        ({"classifier": "puvae-b"}, "puvae-b"),
        ({"classifier": "gm-ave"}, "did you mean 'gm-vae'"),
        ({"defenses": ("gm-vae",), "classifier": "mlp"}, "evaluate it with --classifier gm-vae"),
        ({"defenses": ("mixture-detector:false_positive_rate=0.02",)}, "by rule=quantile"),
        ({"knowledge": ("transfer",), "substitutes": ("mpl",)}, "did you mean 'mlp'"),
        ({"norm": "l2"}, "--epsilon"),
        ({"epsilons": (-0.1,)}, "epsilon must be above 0 and finite"),
        ({"attacks": ()}, "at least one attack"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_trained(changes, says):
    with pytest.raises(InputError, match=says):
        composed(**changes)


def test_a_substitute_has_weights_of_its_own():
    (experiment,) = composed(knowledge=("transfer",), classifier="mlp", substitutes=("mlp",))
    assert experiment.substitutes[0].key != experiment.system.classifier.key


def test_a_search_is_rehearsed_with_the_least_effort(monkeypatch):
    asked = []

    def forward(projection, images, original=Projection.forward):
        asked.append((projection.steps, projection.restarts, len(images)))
        return original(projection, images)

    monkeypatch.setattr(Projection, "forward", forward)
    (experiment,) = composed(defenses=("defense-gan:steps=150",))
    assert asked == [(1, 1, 1)]
    assert experiment.system.defense == "defense-gan:steps=150"


def test_thresholds_are_rehearsed_on_no_more_images_than_they_need(monkeypatch):
    seen = []

    def build(recipe, classifier, trained, clean, original=Recipe.build):
        seen.append((recipe.name, len(clean)))
        return original(recipe, classifier, trained, clean)

    monkeypatch.setattr(Recipe, "build", build)
    composed(defenses=("blur", "ae-detector:false_positive_rate=0.01", "magnet:false_positive_rate=0.005"))
    assert seen == [("blur", 64), ("ae-detector", 100), ("magnet", 200)]
