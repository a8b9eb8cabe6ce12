"""A training as it is called: equal arguments, equal weights; nothing of the caller's enters or changes."""

import numpy as np
import pytest
import torch
from torch import nn

from purifold.data.split import Split
from purifold.errors import InputError
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit


def test_equal_seeds_give_equal_weights_and_others_do_not(train, network, same):
    models = [network(), network(), network()]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        train(model, seed=seed)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def test_the_model_is_left_in_evaluation_mode_without_gradients(train, network):
    model = network()
    parameters = list(model.parameters())
    train(model)
    assert not any(part.training for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(now is then for now, then in zip(model.parameters(), parameters, strict=True))


def test_the_callers_random_generators_are_untouched(train, network, split):
    torch.manual_seed(5)
    np.random.seed(5)
    model = network(5)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    train(model, validation=split(5), augment="flip-crop")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


def test_the_callers_random_generators_do_not_enter(train, network, same):
    models = [network(), network()]
    for seed, model in enumerate(models):
        torch.manual_seed(seed)
        train(model)
    assert same(*models)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"devices": 3}, "devices must divide batch_size 16, got 3"),
        ({"devices": 0}, "devices must divide batch_size 16, got 0"),
        ({"checkpoint_every": 0}, "checkpoint_every must be 1 or above, got 0"),
        ({"config": TrainingConfig(epochs=1, patience=1)}, "patience needs validation images"),
        ({"config": TrainingConfig(epochs=1, precision="16-mixed")}, "16-mixed needs an NVIDIA GPU, got cpu"),
        ({"model": nn.Flatten()}, "model must have parameters that ask for gradients"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(split, loss, wrong, words, linear):
    given = {
        "model": linear(),
        "train": split(5),
        "loss": loss,
        "config": TrainingConfig(epochs=1, batch_size=16),
    }
    with pytest.raises(InputError, match=words):
        fit(**{**given, "seed": 0, "accelerator": "cpu", **wrong})


def test_empty_or_unequal_splits_are_refused(split, loss, linear):
    config = TrainingConfig(epochs=1)
    with pytest.raises(InputError, match="train must have at least one image"):
        fit(linear(), split(0), loss, config, seed=0)
    with pytest.raises(InputError, match="validation must have at least one image"):
        fit(linear(), split(5), loss, config, seed=0, validation=split(0))
    with pytest.raises(InputError, match=r"validation must have images of shape \(1, 6, 6\) as train, got"):
        fit(linear(), split(5), loss, config, seed=0, validation=split(5, size=7))


def test_the_split_is_left_as_it_was(train, split, linear):
    before = split(50)
    config = TrainingConfig(epochs=1, augment="flip-crop")
    given = Split(before.name, before.pixels.clone(), before.labels.clone(), before.classes)
    fit(
        linear(),
        given,
        lambda module, images, labels: module(images).sum(1),
        config,
        seed=0,
        accelerator="cpu",
    )
    assert given.hash == before.hash
