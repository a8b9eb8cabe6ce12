"""What holds for every purifier, detector and recipe; a new file is tested without being listed."""

import importlib
import json
import pkgutil
from copy import deepcopy

import pytest
import torch
from torch import nn

import purifold.defenses
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.split import Split
from purifold.defenses.base import REJECTED, Defended, Detector, Purifier
from purifold.defenses.recipe import Recipe, parse
from purifold.discovery import classes, instances
from purifold.errors import InputError
from purifold.evaluation.evasion import WEIGHINGS
from purifold.randomness import seeded
from purifold.training.adversarial import AdversarialSpec

PURIFIERS, DETECTORS, RECIPES = classes(Purifier), classes(Detector), instances(Recipe)
BY_CLASS = (ConditionalSpec, MixtureSpec)
SIZE, LATENT, NETWORK = 12, 5, "ae-robustness"

purifiers = pytest.mark.parametrize("name", sorted(PURIFIERS))
detectors = pytest.mark.parametrize("name", sorted(DETECTORS))
recipes = pytest.mark.parametrize("name", sorted(RECIPES))
channels = pytest.mark.parametrize("channel_count", [1, 3])


def photos(count, channel_count, dtype=torch.float32):
    generator = torch.Generator().manual_seed(count)
    return torch.rand(count, channel_count, SIZE, SIZE, generator=generator, dtype=dtype)


def example(kinds, name, channel_count, dtype=torch.float32):
    with seeded(0):
        return kinds[name].example(channel_count, SIZE).to(dtype).eval()


def drawn(module, images, seed=0):
    with seeded(seed):
        return module(images)


def slope(function, images, direction, step=1e-6):
    """Directional derivative of a function of images with one score an image, by central differences."""
    return (function(images + step * direction) - function(images - step * direction)) / (2 * step)


def check_gradient(function, images):
    """The gradient of per-image scores agrees with finite differences along a random direction."""
    direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=images.dtype)
    inputs = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(inputs).sum(), inputs)
    analytic = (gradient * direction).flatten(1).sum(dim=1)
    numeric = slope(lambda inputs: function(inputs).detach(), images, direction)
    assert gradient.flatten(1).abs().amax(dim=1).min() > 0
    assert torch.allclose(analytic, numeric, rtol=1e-4, atol=1e-8)


def weighed(purify):
    """One score an image that weighs its pixels unequally, so that no gradient cancels."""

    def score(images):
        purified = purify(images)
        weights = torch.linspace(-1, 1, purified[0].numel(), dtype=images.dtype) ** 3
        return purified.flatten(1) @ weights

    return score


@purifiers
@channels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_purifier_keeps_shape_range_dtype_and_device(name, channel_count, dtype, count):
    images = photos(count, channel_count, dtype)
    purifier = example(PURIFIERS, name, channel_count, dtype)
    for purified in (purifier(images), purifier.surrogate(images)):
        assert purified.shape == images.shape
        assert (purified.dtype, purified.device) == (images.dtype, images.device)
        assert ((purified >= 0) & (purified <= 1)).all()


@purifiers
def test_black_and_white_images_stay_in_the_range(name):
    images = torch.stack([torch.zeros(1, SIZE, SIZE), torch.ones(1, SIZE, SIZE)])
    purified = example(PURIFIERS, name, 1)(images)
    assert ((purified >= 0) & (purified <= 1)).all()


@purifiers
@channels
def test_two_draws_differ_exactly_where_a_purifier_says_it_is_stochastic(name, channel_count):
    images = photos(4, channel_count)
    purifier = example(PURIFIERS, name, channel_count)
    first, second = drawn(purifier, images, seed=1), drawn(purifier, images, seed=2)
    differs = (first != second).flatten(1).any(dim=1)
    assert differs.all() if purifier.stochastic else not differs.any()
    assert torch.equal(first, drawn(purifier, images, seed=1))


@purifiers
@channels
def test_what_is_settled_draws_nothing_and_a_draw_from_it_is_forward_with_its_gradient(name, channel_count):
    purifier = example(PURIFIERS, name, channel_count, torch.float64)
    images = photos(4, channel_count, torch.float64).requires_grad_()
    before = torch.get_rng_state()
    settled = purifier.settled(images)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(settled) == 4
    both = [drawn(purifier, images), drawn(purifier.drawn, settled)]
    torch.testing.assert_close(both[1], both[0])
    if purifier.differentiable:
        slopes = [torch.autograd.grad(weighed(lambda kept: kept)(made).sum(), images)[0] for made in both]
        torch.testing.assert_close(slopes[1], slopes[0])


@purifiers
@channels
def test_the_surrogate_draws_nothing_and_has_a_gradient_on_every_image(name, channel_count):
    images = photos(4, channel_count).requires_grad_()
    purifier = example(PURIFIERS, name, channel_count)
    before = torch.get_rng_state()
    surrogate = purifier.surrogate(images)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(surrogate, purifier.surrogate(images))
    (gradient,) = torch.autograd.grad(surrogate.sum(), images)
    assert gradient.isfinite().all()
    assert gradient.flatten(1).abs().amax(dim=1).min() > 0


@purifiers
@channels
def test_the_surrogate_s_gradient_agrees_with_finite_differences(name, channel_count):
    purifier = example(PURIFIERS, name, channel_count, torch.float64)
    check_gradient(weighed(purifier.surrogate), photos(4, channel_count, torch.float64))


@purifiers
@channels
def test_forward_has_its_true_gradient_exactly_where_a_purifier_says_so(name, channel_count):
    purifier = example(PURIFIERS, name, channel_count, torch.float64)
    images = photos(4, channel_count, torch.float64)
    if purifier.differentiable:
        check_gradient(weighed(lambda inputs: drawn(purifier, inputs)), images)
    else:
        assert not purifier(images.requires_grad_()).requires_grad


@purifiers
@channels
def test_an_image_alone_is_purified_as_in_its_batch(name, channel_count):
    images = photos(6, channel_count)
    purifier = example(PURIFIERS, name, channel_count)
    purify = purifier.surrogate if purifier.stochastic else purifier
    alone = torch.cat([purify(image[None]) for image in images])
    assert torch.allclose(purify(images), alone, atol=1e-6, rtol=0)


@purifiers
def test_purifying_changes_neither_the_images_nor_the_purifier(name):
    images = photos(4, 1)
    kept = images.clone()
    purifier = example(PURIFIERS, name, 1)
    state = deepcopy(purifier.state_dict())
    purifier(images)
    purifier.surrogate(images)
    assert torch.equal(images, kept)
    assert all(torch.equal(state[key], value) for key, value in purifier.state_dict().items())
    assert not any(part.training for part in purifier.modules())
    assert all(weight.grad is None for weight in purifier.parameters())


@detectors
@channels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_detector_gives_one_finite_score_an_image_alone_as_in_its_batch(name, channel_count, dtype):
    images = photos(6, channel_count, dtype)
    detector = example(DETECTORS, name, channel_count, dtype)
    scores = detector(images)
    assert scores.shape == (6,)
    assert (scores.dtype, scores.device) == (images.dtype, images.device)
    assert scores.isfinite().all()
    assert torch.allclose(scores, torch.cat([detector(image[None]) for image in images]), atol=1e-6, rtol=0)
    assert detector(images[:0]).shape == (0,)


@detectors
def test_a_detector_draws_nothing(name):
    images = photos(4, 1)
    detector = example(DETECTORS, name, 1)
    before = torch.get_rng_state()
    assert torch.equal(detector(images), detector(images))
    assert torch.equal(torch.get_rng_state(), before)


@detectors
@channels
def test_a_detector_s_gradient_agrees_with_finite_differences(name, channel_count):
    detector = example(DETECTORS, name, channel_count, torch.float64)
    check_gradient(detector, photos(4, channel_count, torch.float64))


@detectors
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
def test_a_calibrated_detector_rejects_the_stated_share_of_clean_images(name, rate):
    clean = photos(100, 1)
    detector = example(DETECTORS, name, 1)
    state = {key: value.clone() for key, value in detector.state_dict().items() if key != "threshold"}
    detector.calibrate(clean, rate)
    assert int((~detector.accepts(clean)).sum()) == round(100 * rate)
    assert all(torch.equal(value, detector.state_dict()[key]) for key, value in state.items())
    with pytest.raises(InputError, match="cannot resolve"):
        detector.calibrate(clean[: round(1 / rate) - 1], rate)


@detectors
def test_a_detector_s_threshold_travels_in_its_state(name):
    detector, restored = example(DETECTORS, name, 1), example(DETECTORS, name, 1)
    detector.calibrate(photos(50, 1), 0.1)
    restored.load_state_dict(detector.state_dict())
    assert torch.equal(restored.accepts(photos(50, 1)), detector.accepts(photos(50, 1)))


@detectors
def test_a_detector_is_not_calibrated_in_training_mode(name):
    with pytest.raises(InputError, match="detector is in training mode"):
        example(DETECTORS, name, 1).train().calibrate(photos(50, 1), 0.1)


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
    predictions = drawn(defended.predict, images)
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


@recipes
def test_a_recipe_refuses_another_number_of_autoencoders_and_a_classifier_in_training_mode(name):
    recipe = RECIPES[name]
    extra = example(PURIFIERS, "reconstruction", 1).autoencoder
    with pytest.raises(InputError, match=r"trained must be \d autoencoder"):
        recipe.build(classifier(recipe, 1).eval(), [extra] * (len(recipe.autoencoders) + 1))
    with pytest.raises(InputError, match="classifier is in training mode"):
        recipe.build(Linear(1), [extra] * len(recipe.autoencoders))


def test_a_recipe_refuses_a_classifier_that_it_does_not_work_with():
    with pytest.raises(InputError, match="must be a MixtureAutoencoder for defense gm-vae, got Linear"):
        parse("gm-vae").build(Linear(1).eval())


def test_no_two_defenses_share_a_name():
    found = []
    for entry in pkgutil.iter_modules(purifold.defenses.__path__, "purifold.defenses."):
        module = importlib.import_module(entry.name)
        found += [member for member in vars(module).values() if isinstance(member, Recipe)]
    assert len({id(recipe) for recipe in found}) == len(RECIPES)
    listed = "none ae dae cae vae dvae cvae jpeg blur ensemble ae-detector puvae"
    assert set(listed.split()) <= set(RECIPES)
