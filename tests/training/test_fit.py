import json
import math
from dataclasses import asdict
from itertools import chain

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from purifold.data.split import Split
from purifold.errors import Failure, InputError
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit


def linear():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 3))


def gradient(weight, bias, images, labels):
    """Of the mean cross-entropy of a linear classifier: (softmax - onehot) x / n."""
    error = (torch.softmax(images @ weight.T + bias, 1) - F.one_hot(labels, 3)) / len(images)
    return error.T @ images, error.sum(0)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_one_sgd_update_is_the_closed_form(train, split, decay):
    model = linear()
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    train(model, count=16, epochs=1, optimizer="sgd", learning_rate=0.3, momentum=0.0, weight_decay=decay)
    to_weight, to_bias = gradient(weight, bias, split(16).images().flatten(1), split(16).labels)
    torch.testing.assert_close(model[1].weight, weight - 0.3 * (to_weight + decay * weight))
    torch.testing.assert_close(model[1].bias, bias - 0.3 * (to_bias + decay * bias))


def test_momentum_and_schedule_enter_the_sgd_update(train, split):
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
def test_the_first_adam_update_is_the_rate_times_the_sign(train, split, kind):
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


def seen(train, split, **config):
    """The images of each batch, as their rows in the split."""
    rows = {image.numpy().tobytes(): row for row, image in enumerate(split(50).images())}
    batches = []

    def remember(module, images, labels):
        batches.append([rows[image.numpy().tobytes()] for image in images])
        assert torch.equal(labels, split(50).labels[batches[-1]])
        return module(images).sum(1)

    train(linear(), of=remember, **config)
    return batches


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own(train, split):
    batches = seen(train, split, epochs=2)
    assert [len(batch) for batch in batches] == [16, 16, 16, 2] * 2
    first, second = list(chain(*batches[:4])), list(chain(*batches[4:]))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first != sorted(first)


def test_the_order_follows_the_seed(train, split):
    assert seen(train, split, seed=4) == seen(train, split, seed=4)
    assert seen(train, split, seed=4) != seen(train, split, seed=5)


def test_equal_seeds_give_equal_weights_and_others_do_not(train, network, same):
    models = [network(), network(), network()]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        train(model, seed=seed)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def test_augmentation_changes_what_the_model_sees_but_not_the_validation(train, split):
    given, shown = split(50).images(), {True: [], False: []}

    def remember(module, images, labels):
        shown[module.training].append(images)
        return module(images).sum(1)

    train(linear(), of=remember, epochs=1, augment="flip-crop", validation=split(50))
    assert torch.equal(torch.cat(shown[False]), given)
    changed = torch.cat(shown[True])
    assert sum(any(torch.equal(image, other) for other in given) for image in changed) < 5


def test_the_history_holds_mean_losses_per_image(train, split, loss):
    """A rate that is next to nothing leaves the weights where they are: each epoch has the initial loss."""
    model = linear()
    expected = loss(model, split(50).images(), split(50).labels).mean().item()
    held_out = loss(model, split(20, 7).images(), split(20, 7).labels).mean().item()
    history = train(model, epochs=2, optimizer="sgd", learning_rate=1e-12, validation=split(20, 7))
    assert history.train_loss == pytest.approx([expected] * 2, rel=1e-5)
    assert history.validation_loss == pytest.approx([held_out] * 2, rel=1e-5)
    assert history.learning_rate == [1e-12] * 2
    assert len(history.seconds) == 2
    json.dumps(asdict(history), allow_nan=False)


def test_the_model_trains_in_training_mode_and_is_judged_in_evaluation_mode(train, network, split):
    modes = []

    def remember(module, images, labels):
        modes.append({part.training for part in module.modules()})
        return module(images).sum(1)

    train(network().eval(), of=remember, count=16, epochs=2, validation=split(5))
    assert modes == [{True}, {False}] * 2


def test_the_model_is_left_in_evaluation_mode_without_gradients(train, network):
    model = network()
    parameters = list(model.parameters())
    train(model)
    assert not any(part.training for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(now is then for now, then in zip(model.parameters(), parameters, strict=True))


def test_frozen_parameters_stay(train):
    model = linear()
    model[1].bias.requires_grad_(False)
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    train(model, weight_decay=0.1)
    assert torch.equal(model[1].bias, bias)
    assert not torch.equal(model[1].weight, weight)


def test_an_interrupt_in_mid_update_leaves_no_gradients_and_the_callers_randomness(
    train, network, monkeypatch
):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    model = network()
    before = torch.get_rng_state()
    monkeypatch.setattr(torch.optim.Adam, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(model)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(part.training for part in model.modules())
    assert torch.equal(torch.get_rng_state(), before)


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


def test_validation_does_not_change_the_training_and_has_the_same_noise_each_time(
    train, split, network, same
):
    def noisy(module, images, labels):
        noise = torch.rand(len(images))
        return F.cross_entropy(module(images), labels, reduction="none") if module.training else noise

    watched, alone = network(), network()
    history = train(watched, of=noisy, validation=split(20))
    train(alone, of=noisy)
    assert same(watched, alone)
    assert len(set(history.validation_loss)) == 1


def stepped(values):
    """Validation losses as given, whatever the weights; the training loss moves the weight by 1 an epoch."""
    left = iter(values)

    def loss(module, images, labels):
        if module.training:
            return module.weight.sum() + 0 * images.mean((1, 2, 3))
        return torch.full((len(images),), next(left))

    return loss


def counter():
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    return model


STEPS = {"optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.0, "count": 16}


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([3.0, 2.0, 2.5, 2.1, 9.0, 9.0], 2, 4, 2),
        ([3.0, 2.0, 2.0, 2.0, 9.0, 9.0], 2, 4, 2),
        ([3.0, 2.0, 2.5, 1.0, 1.5, 0.5], 2, 6, 6),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1, 2, 1),
        ([6.0, 5.0, 4.0, 3.0, 2.0, 2.5], 3, 6, 5),
    ],
)
def test_early_stopping_waits_for_its_patience_and_returns_the_best_weights(
    train, split, *, losses, patience, epochs, best
):
    model = counter()
    history = train(model, of=stepped(losses), epochs=6, patience=patience, validation=split(16), **STEPS)
    assert len(history) == epochs
    assert history.best == best
    assert model.weight.item() == -best


def test_without_patience_the_last_weights_are_kept(train, split):
    model = counter()
    train(model, of=stepped([1.0, 2.0, 3.0]), validation=split(16), **STEPS)
    assert model.weight.item() == -3


def test_progress_is_told_after_every_update(train, network, capfd):
    told = []
    history = train(network(), epochs=2, progress=told.append)
    assert [(one.epoch, one.step) for one in told] == [
        (epoch, step) for epoch in (1, 2) for step in (1, 2, 3, 4)
    ]
    assert {(one.epochs, one.steps) for one in told} == {(2, 4)}
    sizes = (16, 16, 16, 2)
    assert sum(one.loss * size for one, size in zip(told[:4], sizes, strict=True)) / 50 == pytest.approx(
        history.train_loss[0]
    )
    assert [one.seconds for one in told] == sorted(one.seconds for one in told)
    assert capfd.readouterr() == ("", "")


def bursting(at, value):
    """Cross-entropy that is no number in the training step `at`, from 1."""
    steps = iter(range(1, 1000))

    def loss(module, images, labels):
        scores = F.cross_entropy(module(images), labels, reduction="none")
        return scores * value if module.training and next(steps) == at else scores

    return loss


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_its_place_and_keeps_the_checkpoint(
    train, network, tmp_path, value
):
    folder = tmp_path / "kept"
    losses = []
    with pytest.raises(Failure) as error:
        train(
            network(),
            of=bursting(7, value),
            folder=folder,
            learning_rate=0.25,
            progress=lambda told: losses.append(told.loss),
        )
    text = str(error.value)
    assert f"training loss is {value} in epoch 2, step 3 of 4" in text
    assert f"last finite training loss was {losses[5]:.4g}" in text
    assert "learning rate of 0.25, try a tenth" in text
    assert f"kept in {folder}" in text
    assert "\n" not in text
    assert len(losses) == 6
    good = network()
    history = train(good, epochs=3, folder=folder, learning_rate=0.25)
    assert len(history) == 3
    assert all(torch.isfinite(parameter).all() for parameter in good.parameters())


def test_a_first_loss_that_is_no_number_does_not_blame_the_learning_rate(train, network):
    with pytest.raises(Failure, match=r"epoch 1, step 1 of 4, the first of all; look at the model, the loss"):
        train(network(), of=bursting(1, math.nan))


def test_a_validation_loss_that_is_no_number_stops(train, network, split):
    def broken(module, images, labels):
        return module(images).sum(1) * (1 if module.training else math.nan)

    with pytest.raises(Failure, match=r"validation loss is nan after epoch 1; the last finite training"):
        train(network(), of=broken, validation=split(5))


@pytest.mark.parametrize("epochs", [1, 3])
def test_weights_that_the_last_update_of_an_epoch_breaks_are_neither_kept_nor_returned(
    train, tmp_path, epochs
):
    """The loss of that update is still finite."""

    def steep(module, images, labels):
        return 1e30 * module.weight.sum() + 0 * images.mean((1, 2, 3))

    with pytest.raises(Failure, match=r"weights are not finite after epoch 1; .* learning rate of 1e\+20"):
        train(counter(), of=steep, folder=tmp_path, **{**STEPS, "epochs": epochs, "learning_rate": 1e20})
    assert not list(tmp_path.iterdir())


def test_gradients_that_the_model_came_with_do_not_enter(train, network, same):
    clean, soiled = network(), network()
    for parameter in soiled.parameters():
        parameter.grad = torch.full_like(parameter, 100.0)
    train(clean)
    train(soiled)
    assert same(clean, soiled)


def test_the_model_is_in_evaluation_mode_after_a_failure_too(train, network):
    model = network()
    torch.manual_seed(9)
    before = torch.get_rng_state()
    with pytest.raises(Failure):
        train(model, of=bursting(7, math.nan))
    assert not any(part.training for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_loss_with_gradients_of_its_own_can_be_validated(train, network, split):
    """As the contractive penalty, which needs the encoder's Jacobian."""

    def contractive(module, images, labels):
        images = images.requires_grad_()
        return torch.autograd.grad(module(images).sum(), images, create_graph=True)[0].square().sum((1, 2, 3))

    assert len(train(network(), of=contractive, validation=split(5)).validation_loss) == 3


def test_bfloat16_computes_in_bfloat16_and_keeps_float_weights(train, network, split):
    kinds = set()

    def remember(module, images, labels):
        logits = module(images)
        kinds.add((module.training, logits.dtype))
        return F.cross_entropy(logits, labels, reduction="none")

    model = network()
    train(model, of=remember, precision="bf16-mixed", validation=split(5))
    assert kinds == {(True, torch.bfloat16), (False, torch.bfloat16)}
    assert model[0].weight.dtype == torch.float32


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
def test_arguments_that_do_not_go_together_are_refused(split, loss, wrong, words):
    given = {
        "model": linear(),
        "train": split(5),
        "loss": loss,
        "config": TrainingConfig(epochs=1, batch_size=16),
    }
    with pytest.raises(InputError, match=words):
        fit(**{**given, "seed": 0, "accelerator": "cpu", **wrong})


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a GPU that is absent")
def test_an_absent_accelerator_is_refused(split, loss):
    with pytest.raises(InputError, match=r"accelerator .*cuda"):
        fit(linear(), split(5), loss, TrainingConfig(epochs=1), seed=0, accelerator="cuda")


def test_empty_or_unequal_splits_are_refused(split, loss):
    config = TrainingConfig(epochs=1)
    with pytest.raises(InputError, match="train must have at least one image"):
        fit(linear(), split(0), loss, config, seed=0)
    with pytest.raises(InputError, match="validation must have at least one image"):
        fit(linear(), split(5), loss, config, seed=0, validation=split(0))
    with pytest.raises(InputError, match=r"validation must have images of shape \(1, 6, 6\) as train, got"):
        fit(linear(), split(5), loss, config, seed=0, validation=split(5, size=7))


def test_a_loss_that_is_already_a_mean_is_refused(train):
    with pytest.raises(InputError, match=r"loss must return one value an image, shape \(16,\), got \(\)"):
        train(linear(), of=lambda module, images, labels: module(images).mean())


def test_the_split_is_left_as_it_was(train, split):
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
