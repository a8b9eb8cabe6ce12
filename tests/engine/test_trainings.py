"""Every description of something to train finds its step, with a seed and a share of the scale of its own."""

from dataclasses import replace

import pytest

from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.generative import GeneratorSpec
from purifold.autoencoders.magnet import MagnetSpec
from purifold.autoencoders.patch_spec import PatchSpec
from purifold.data.load import defaults, load
from purifold.data.split import DataSet
from purifold.defenses.recipe import Recipe
from purifold.discovery import instances
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.steps.data import Data
from purifold.engine.trainings import SOURCE, TRAININGS, Workshop
from purifold.errors import InputError
from purifold.training.adversarial import AdversarialSpec

SMOKE = SCALES["smoke"]


@pytest.fixture(scope="module")
def shop():
    return Workshop(data=Data.named("digits", Resources()), scale=SMOKE, resources=Resources(), seed=5)


def test_there_is_a_step_for_all_that_any_recipe_asks_for():
    asked = {unfinished.func for recipe in instances(Recipe).values() for unfinished in recipe.autoencoders}
    assert asked == set(TRAININGS)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (MagnetSpec(), "train-autoencoder"),
        (ConditionalSpec(), "train-conditional"),
        (GeneratorSpec(), "train-generator"),
        (AdversarialSpec(classifier="mlp", epsilon=0.1), "train-adversarial"),
        (PatchSpec(patch=4, latent=3), "train-patches"),
    ],
)
def test_a_description_becomes_its_step(shop, spec, kind):
    step = shop.training(spec)
    assert (step.kind, step.spec, step.seed, step.images) == (kind, spec, 5, 1_100)


def test_each_kind_is_trained_as_the_scale_says_of_it(shop):
    configs = {
        "generator": (GeneratorSpec(), SMOKE.generator),
        "adversarial": (AdversarialSpec(classifier="puvae-a", epsilon=0.1), SMOKE.adversarial),
        "autoencoder": (MagnetSpec(), SMOKE.autoencoder),
        "conditional": (ConditionalSpec(), SMOKE.conditional),
    }
    for spec, config in configs.values():
        assert shop.training(spec).config == config(1_100)
    assert len({config(1_100) for _, config in configs.values()}) == len(configs)


def test_vaes_of_patches_see_as_many_squares_as_autoencoders_see_images(shop):
    config = shop.training(PatchSpec(patch=4, latent=3)).config
    assert config.crop == 4
    assert 1_100 * config.visits * config.epochs == pytest.approx(SMOKE.encoded, rel=0.05)
    large = SMOKE.patches(train_images=60, side=16)
    assert large.epochs == 20
    assert 60 * large.visits * 20 == pytest.approx(SMOKE.encoded, rel=0.05)
    rates = [SMOKE.patches(60, side=side).learning_rate for side in (16, 32, 64)]
    assert rates == [3e-3, 3e-3, 1e-3]
    assert 60 * SMOKE.patches(60, side=64).visits * 20 == pytest.approx(SMOKE.encoded / 4, rel=0.05)


def test_without_a_training_part_patches_come_from_test_images_that_are_not_attacked(shop, monkeypatch):
    digits = load("digits")
    monkeypatch.setattr(
        "purifold.engine.steps.data.load", lambda name, root: DataSet(name, None, None, digits.test)
    )
    bare = Data.named("no-training-part", Resources())
    spec, test = PatchSpec(patch=4, latent=3), len(digits.test)
    step = replace(shop, data=bare, spared=test - 50).training(spec)
    assert (step.spared, step.images) == (test - 50, 50)
    assert shop.training(spec).spared == 0
    for spared in (0, test):
        with pytest.raises(InputError, match=f"attack fewer than its {test}"):
            replace(shop, data=bare, spared=spared).training(spec)


def test_the_classifiers_of_a_paper_are_trained_as_it_says(shop):
    clean = {False: SMOKE.classifier(1_100), True: SMOKE.classifier(1_100, adam=True)}
    assert [config.optimizer for config in clean.values()] == ["sgd", "adam"]
    assert clean[True].epochs == 3 * clean[False].epochs
    for network, adam in (("mlp", False), ("puvae-a", True)):
        assert shop.classifier(network).config == clean[adam]


def test_classifiers_see_varied_images_where_the_data_set_says_so(shop, monkeypatch):
    said = {varied: replace(defaults("digits"), varied=varied) for varied in (False, True)}
    for varied, augment in ((False, "none"), (True, "flip-crop")):
        monkeypatch.setattr("purifold.engine.trainings.defaults", lambda name, varied=varied: said[varied])
        assert shop.network("mlp").config.augment == augment
    assert defaults("cifar-10").varied
    mirrorless = ("digits", "mnist", "svhn")
    assert not any(defaults(name).varied for name in mirrorless)


def test_the_source_of_a_conditional_autoencoder_has_weights_of_its_own(shop):
    source = shop.training(ConditionalSpec(source="mlp")).source
    assert (source.network, source.seed) == ("mlp", 5 + SOURCE)
    assert source.key != shop.classifier("mlp").key


def test_a_network_that_does_not_fit_the_images_is_refused_before_anything_is_trained(shop):
    with pytest.raises(InputError, match="puvae-b"):
        shop.classifier("puvae-b")
