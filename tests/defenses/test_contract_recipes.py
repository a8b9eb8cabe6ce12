"""What holds for every recipe of a defense; a new file is tested without being listed."""

import importlib
import json
import pkgutil

import pytest
import torch
from torch import nn

import purifold.defenses
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.split import Split
from purifold.defenses.base import REJECTED, Defended
from purifold.defenses.recipe import Recipe, parse
from purifold.defenses.reconstruction import Reconstruction
from purifold.discovery import instances
from purifold.errors import InputError
from purifold.evaluation.evasion import WEIGHINGS
from purifold.randomness import seeded
from purifold.training.adversarial import AdversarialSpec

RECIPES = instances(Recipe)
BY_CLASS = (ConditionalSpec, MixtureSpec)
SIZE, LATENT, NETWORK = 12, 5, "ae-robustness"

recipes = pytest.mark.parametrize("name", sorted(RECIPES))
channels = pytest.mark.parametrize("channel_count", [1, 3])


def photos(count, channel_count):
    generator = torch.Generator().manual_seed(count)
    return torch.rand(count, channel_count, SIZE, SIZE, generator=generator)


class Linear(nn.Sequential):
    """A classifier whose weights come from the seed."""

    def __init__(self, channel_count):
        super().__init__(nn.Flatten(), nn.Linear(channel_count * SIZE * SIZE, 4))


def untrained(spec, channel_count):
    if isinstance(spec, AdversarialSpec):
        return Linear(channel_count)
    shape = (channel_count, SIZE, SIZE)
    return spec.build(shape, 4) if isinstance(spec, BY_CLASS) else spec.build(shape)


def classifier(recipe, channel_count):
    """An untrained one of the kind that the recipe works with."""
    mixture = recipe.needs is MixtureAutoencoder
    return MixtureSpec().build((channel_count, SIZE, SIZE), 4) if mixture else Linear(channel_count)


def made(recipe, channel_count):
    """The recipe's defended system over untrained autoencoders, with 1,000 clean images."""
    pixels = (photos(1000, channel_count) * 255).byte()
    clean = Split("photos/validation", pixels, torch.zeros(1000, dtype=torch.int64), ("a", "b", "c", "d"))
    with seeded(0):
        specs = recipe.specs(network=NETWORK, latent=LATENT, classifier="any", epsilon=0.1)
        trained = [untrained(spec, channel_count).eval() for spec in specs]
        return recipe.build(classifier(recipe, channel_count).eval(), trained, clean)


@recipes
@channels
def test_a_recipe_makes_a_defended_system_ready_to_judge(name, channel_count):
    images = photos(7, channel_count)
    defended = made(RECIPES[name], channel_count)
    with seeded(0):
        predictions = defended.predict(images)
    assert isinstance(defended, Defended)
    assert predictions.shape == (7,)
    assert ((predictions >= REJECTED) & (predictions < 4)).all()
    assert defended(images).shape == (7, 4)


@recipes
def test_a_recipe_says_all_that_it_decides_in_json_and_is_found_by_its_text(name):
    recipe = RECIPES[name]
    description = recipe.describe()
    assert json.loads(json.dumps(description, allow_nan=False)) == description
    assert set(description["options"]) <= set(recipe.options)
    assert not set(description["options"]) & {key for spec in description["autoencoders"] for key in spec}
    assert len(description["autoencoders"]) == len(recipe.autoencoders)
    assert parse(str(recipe)) == recipe
    assert recipe.summary
    assert "\n" not in recipe.summary


@recipes
def test_each_option_of_a_recipe_can_be_set_to_what_it_is(name):
    recipe = RECIPES[name]
    for option in recipe.options.values():
        if option.default is not None:
            chosen = parse(f"{name}:{option.name}={option.default}")
            assert chosen.chosen == ((option.name, option.default),)


@recipes
@channels
def test_a_recipe_says_truly_what_an_attacker_must_know_of_it(name, channel_count):
    recipe = RECIPES[name]
    defended, still = made(recipe, channel_count), made(recipe.still, channel_count)
    assert defended.stochastic == recipe.stochastic
    assert not still.stochastic
    assert not recipe.still.stochastic
    assert recipe.still.still == recipe.still
    purifier, images = defended.purifier, photos(3, channel_count)
    assert (purifier is None or purifier.differentiable) == recipe.differentiable
    if recipe.stochastic and recipe.differentiable:
        assert torch.equal(purifier.surrogate(images), still.purifier(images))
    if recipe.transparent:
        assert torch.equal(purifier.surrogate(images), images)
        assert not defended.detectors


@recipes
@channels
def test_a_recipe_names_its_stand_ins_and_each_has_a_gradient_on_every_image(name, channel_count):
    recipe, images = RECIPES[name], photos(3, channel_count).requires_grad_()
    defended = made(recipe, channel_count)
    found = {} if defended.purifier is None else defended.purifier.stand_ins(defended.classifier)
    assert tuple(found) == tuple(name for name in recipe.stand_ins if name not in WEIGHINGS)
    for model in found.values():
        logits = model(images)
        assert logits.shape == (3, 4)
        (gradient,) = torch.autograd.grad((logits * torch.arange(4.0)).sum(), images)
        assert gradient.isfinite().all()
        assert gradient.flatten(1).abs().amax(dim=1).min() > 0


def test_who_knows_a_second_look_attacks_it_where_there_is_one():
    assert "second-look" not in parse("gm-vae").offered
    for second in ("always", "refusing"):
        recipe = parse(f"gm-vae:reclassify={second}")
        assert recipe.offered == (*recipe.stand_ins, "second-look")


@recipes
def test_a_recipe_refuses_another_number_of_autoencoders_and_a_classifier_in_training_mode(name):
    recipe = RECIPES[name]
    extra = Reconstruction.example(1, SIZE).autoencoder
    with pytest.raises(InputError, match=r"trained must be \d autoencoder"):
        recipe.build(classifier(recipe, 1).eval(), [extra] * (len(recipe.autoencoders) + 1))
    with pytest.raises(InputError, match="classifier is in training mode"):
        recipe.build(Linear(1), [extra] * len(recipe.autoencoders))


def test_a_recipe_refuses_a_classifier_that_it_does_not_work_with():
    with pytest.raises(InputError, match="which Linear has not; evaluate it with --classifier gm-vae"):
        parse("gm-vae").build(Linear(1).eval())


def test_no_two_defenses_share_a_name():
    found = []
    for entry in pkgutil.iter_modules(purifold.defenses.__path__, "purifold.defenses."):
        module = importlib.import_module(entry.name)
        found += [member for member in vars(module).values() if isinstance(member, Recipe)]
    assert len({id(recipe) for recipe in found}) == len(RECIPES)
    listed = "none ae dae cae vae dvae cvae jpeg blur ensemble ae-detector puvae"
    assert set(listed.split()) <= set(RECIPES)
