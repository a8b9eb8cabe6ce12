"""A training on its device: its epochs, its validation, its end, and what stops it."""

import json
import math
from dataclasses import asdict
from itertools import chain

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from purifold.errors import Failure


def seen(train, split, linear, **config):
    """The images of each batch, as their rows in the split."""
    rows = {image.numpy().tobytes(): row for row, image in enumerate(split(50).images())}
    batches = []

    def remember(module, images, labels):
        batches.append([rows[image.numpy().tobytes()] for image in images])
        assert torch.equal(labels, split(50).labels[batches[-1]])
        return module(images).sum(1)

    train(linear(), of=remember, **config)
    return batches


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own(train, split, linear):
    batches = seen(train, split, linear, epochs=2)
    assert [len(batch) for batch in batches] == [16, 16, 16, 2] * 2
    first, second = list(chain(*batches[:4])), list(chain(*batches[4:]))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first != sorted(first)


def test_the_order_follows_the_seed(train, split, linear):
    assert seen(train, split, linear, seed=4) == seen(train, split, linear, seed=4)
    assert seen(train, split, linear, seed=4) != seen(train, split, linear, seed=5)


def test_augmentation_changes_what_the_model_sees_but_not_the_validation(train, split, linear):
    given, shown = split(50).images(), {True: [], False: []}

    def remember(module, images, labels):
        shown[module.training].append(images)
        return module(images).sum(1)

    train(linear(), of=remember, epochs=1, augment="flip-crop", validation=split(50))
    assert torch.equal(torch.cat(shown[False]), given)
    changed = torch.cat(shown[True])
    assert sum(any(torch.equal(image, other) for other in given) for image in changed) < 5


def test_the_history_holds_mean_losses_per_image(train, split, loss, linear):
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


def test_decayed_weights_are_dropped_when_an_epoch_ends(train, linear):
    model = linear()
    with torch.no_grad():
        model[-1].weight[0, 0] = 1e-21
    train(model, of=lambda module, images, labels: 0 * module(images).sum(1))
    assert model[-1].weight[0, 0] == 0
    assert (model[-1].weight == 0).sum() == 1


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


@pytest.mark.parametrize(("has", "kind"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_computes_in_bfloat16_where_there_is_and_keeps_float_weights(
    train, network, split, monkeypatch, has, kind
):
    monkeypatch.setattr("purifold.training.device.has_bfloat16", lambda device: has)
    kinds = set()

    def remember(module, images, labels):
        logits = module(images)
        kinds.add((module.training, logits.dtype))
        return F.cross_entropy(logits, labels, reduction="none")

    model = network()
    train(model, of=remember, precision="bf16-mixed", validation=split(5))
    assert kinds == {(True, kind), (False, kind)}
    assert model[0].weight.dtype == torch.float32
