"""Defense-GAN's projection: the descent it claims, whatever shares its batch, and what it recovers."""

import pytest
import torch
from torch import nn

from purifold.autoencoders.generative import GeneratorSpec
from purifold.defenses import defense_gan
from purifold.defenses.defense_gan import Projection
from purifold.errors import InputError
from purifold.randomness import seeded


@pytest.fixture
def model():
    with seeded(0):
        found = GeneratorSpec(latent_size=3, width=4).build((1, 8, 8)).double().eval()
    with torch.no_grad():  # untrained weights hardly answer to the latent
        for name, weight in found.generator.named_parameters():
            if name.endswith("weight"):
                weight.mul_(4)
    return found.requires_grad_(False)


def made(model, count=4):
    latent = torch.randn(count, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return model.generator(latent)


def squared(found, wanted):
    return (found - wanted).square().flatten(1).mean(dim=1)


def test_images_that_the_generator_made_are_recovered(model):
    images = made(model)
    with seeded(1):
        found = Projection(model, steps=200, restarts=8)(images)
    spread = squared(images, images.mean(dim=0, keepdim=True)).mean()
    assert spread > 1e-3
    assert squared(found, images).max() < 1e-9


def test_the_descent_is_gradient_descent_with_momentum(model):
    """Ten steps from the middle by autograd on one image, the last two a tenth as long."""
    image = made(model, 1)
    latent, velocity = torch.zeros(1, 3, dtype=torch.float64), 0.0
    for rate in [10.0] * 8 + [1.0] * 2:
        here = latent.clone().requires_grad_()
        (model.generator(here) - image).square().mean().backward()
        velocity = 0.7 * velocity - rate * here.grad
        latent = latent + velocity
    torch.testing.assert_close(Projection(model, steps=10, spread=0.0).project(image), latent)


def test_an_image_gets_the_same_projection_in_any_portion(model, monkeypatch):
    images = made(model, 5)
    with seeded(3):
        whole = Projection(model, steps=5, restarts=3)(images)
    monkeypatch.setattr(defense_gan, "ROWS", 6)
    with seeded(3):
        portions = Projection(model, steps=5, restarts=3)(images)
    torch.testing.assert_close(whole, portions)


def test_the_best_of_the_restarts_returns(model):
    images = made(model)
    projection = Projection(model, steps=3, restarts=6)
    with seeded(4):
        starts = torch.randn(4, 6, 3, dtype=torch.float64)
    each = torch.stack(
        [squared(model.generator(projection._descended(starts[:, k], images)), images) for k in range(6)]
    )
    with seeded(4):
        best = squared(projection(images), images)
    torch.testing.assert_close(best, each.amin(dim=0))


def test_without_spread_nothing_is_drawn_and_one_start_is_enough(model):
    images = made(model)
    projection = Projection(model, steps=3, restarts=20, spread=0.0)
    assert not projection.stochastic
    with seeded(0):
        first = projection(images)
    with seeded(1):
        assert torch.equal(first, projection(images))


def test_the_unrolled_gradient_is_that_of_the_last_steps(model):
    """Against central differences, with the latent before the last steps held where it is."""
    images = made(model)
    with seeded(0):
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double().eval()
    projection = Projection(model, steps=3, spread=0.0)
    held = projection.project(images)
    projection.project = lambda images, restarts: held
    unrolled = projection.stand_ins(classifier)["unrolled"]
    direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(5), dtype=images.dtype)
    inputs = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(unrolled(inputs)[:, 0].sum(), inputs)
    step = 1e-5
    ahead, behind = (unrolled(images + sign * step * direction)[:, 0].detach() for sign in (1, -1))
    numeric = (ahead - behind) / (2 * step)
    torch.testing.assert_close((gradient * direction).flatten(1).sum(dim=1), numeric, rtol=1e-4, atol=1e-9)
    assert gradient.abs().amax() > 0


def test_an_attacker_without_time_searches_with_few_restarts(model):
    images = made(model)
    with seeded(0):
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double().eval()
    projection = Projection(model, steps=3, restarts=9)
    with seeded(1):
        expected = model.generator(projection.project(images, defense_gan.RESTARTS)).detach().requires_grad_()
    logits = classifier(expected)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), expected)
    inputs = images.clone().requires_grad_()
    with seeded(1):
        found = projection.stand_ins(classifier)["bpda"](inputs)
    torch.testing.assert_close(found, logits)
    torch.testing.assert_close(torch.autograd.grad(found[:, 0].sum(), inputs)[0], gradient)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"restarts": 0}, {"spread": -1.0}])
def test_what_cannot_be_descended_is_refused(model, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Projection(model, **wrong)


def test_in_bfloat16_the_image_is_nearly_as_near_and_made_in_the_weights_precision(model, monkeypatch):
    monkeypatch.setattr("purifold.defenses.precision.has_bfloat16", lambda device: True)
    model = model.float()
    images = made(model.double()).float()
    model = model.float()
    errors = {}
    for precision in ("float32", "bfloat16"):
        with seeded(1):
            found = Projection(model, steps=200, restarts=8, precision=precision)(images)
        assert found.dtype == torch.float32
        errors[precision] = squared(found, images).max()
    assert errors["float32"] < 1e-6
    assert errors["float32"] < errors["bfloat16"] < 1e-4  # it was searched in another precision
