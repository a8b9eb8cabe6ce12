"""What a training minimises and by which rule: updates against their closed forms."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from purifold.errors import InputError


def gradient(weight, bias, images, labels):
    """Of the mean cross-entropy of a linear classifier: (softmax - onehot) x / n."""
    error = (torch.softmax(images @ weight.T + bias, 1) - F.one_hot(labels, 3)) / len(images)
    return error.T @ images, error.sum(0)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_one_sgd_update_is_the_closed_form(train, split, decay, linear):
    model = linear()
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    train(model, count=16, epochs=1, optimizer="sgd", learning_rate=0.3, momentum=0.0, weight_decay=decay)
    to_weight, to_bias = gradient(weight, bias, split(16).images().flatten(1), split(16).labels)
    torch.testing.assert_close(model[1].weight, weight - 0.3 * (to_weight + decay * weight))
    torch.testing.assert_close(model[1].bias, bias - 0.3 * (to_bias + decay * bias))


def test_momentum_and_schedule_enter_the_sgd_update(train, split, linear):
    model = linear()
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    train(model, count=16, epochs=3, optimizer="sgd", learning_rate=0.3, momentum=0.8, schedule="cosine")
    images, labels = split(16).images().flatten(1), split(16).labels
    velocity = [torch.zeros_like(weight), torch.zeros_like(bias)]
    for epoch in range(3):
        rate = 0.15 * (1 + math.cos(math.pi * epoch / 3))
        velocity = [
            0.8 * v + g for v, g in zip(velocity, gradient(weight, bias, images, labels), strict=True)
        ]
        weight, bias = weight - rate * velocity[0], bias - rate * velocity[1]
    torch.testing.assert_close(model[1].weight, weight)
    torch.testing.assert_close(model[1].bias, bias)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_the_first_adam_update_is_the_rate_times_the_sign(train, split, kind, linear):
    model = linear()
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    train(model, count=16, epochs=1, optimizer=kind, learning_rate=0.01, weight_decay=0.5)
    to_weight, _ = gradient(weight, bias, split(16).images().flatten(1), split(16).labels)
    decayed = {
        "adam": weight - 0.01 * torch.sign(to_weight + 0.5 * weight),
        "adamw": weight * (1 - 0.01 * 0.5) - 0.01 * torch.sign(to_weight),
    }
    torch.testing.assert_close(model[1].weight, decayed[kind], atol=1e-6, rtol=1e-4)


def test_momentum_is_the_first_beta_of_adam(train):
    """After two updates by gradients g and h Adam stands at -rate times its two corrected quotients."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    slopes = iter([1.0, -3.0])

    def sloped(module, images, labels):
        return next(slopes) * module.weight.sum() + 0 * images.mean((1, 2, 3))

    train(model, of=sloped, count=16, epochs=2, learning_rate=0.1, momentum=0.5)
    first = (0.5 * 0.5 * 1 + 0.5 * -3) / (1 - 0.5**2)
    second = (0.999 * 0.001 * 1 + 0.001 * 9) / (1 - 0.999**2)
    assert model.weight.item() == pytest.approx(-0.1 - 0.1 * first / math.sqrt(second), rel=1e-5)


def test_frozen_parameters_stay(train, linear):
    model = linear()
    model[1].bias.requires_grad_(False)
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    train(model, weight_decay=0.1)
    assert torch.equal(model[1].bias, bias)
    assert not torch.equal(model[1].weight, weight)


def test_a_loss_that_is_already_a_mean_is_refused(train, linear):
    with pytest.raises(InputError, match=r"loss must return one value an image, shape \(16,\), got \(\)"):
        train(linear(), of=lambda module, images, labels: module(images).mean())
