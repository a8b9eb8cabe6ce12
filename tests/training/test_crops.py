"""Random squares beside slices of the images, and a training that sees nothing but squares."""

from dataclasses import fields

import pytest
import torch
from torch import nn

from purifold.data.split import Split
from purifold.errors import InputError
from purifold.options import counts
from purifold.randomness import seeded
from purifold.training.config import TrainingConfig
from purifold.training.crops import random_crops
from purifold.training.fit import fit


def numbered(count, height, width):
    """Images each pixel of which has a value of its own within its image."""
    pixels = torch.arange(height * width).view(1, 1, height, width).repeat(count, 1, 1, 1)
    return Split("tests/numbered", pixels.byte(), torch.arange(count) % 3, ("a", "b", "c"))


def corners(crops, width):
    """Row and column of each square's first pixel, out of what stands there."""
    first = crops[:, 0, 0, 0].mul(255).round().long()
    return torch.stack([first // width, first % width], dim=1)


def test_each_square_is_a_slice_of_the_image_it_was_asked_of():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (5, 3, 9, 7), dtype=torch.uint8, generator=generator)
    split = Split("tests/random", pixels, torch.zeros(5, dtype=torch.int64), ("a",))
    rows = torch.tensor([4, 0, 4, 2])
    for row, crop in zip(rows, random_crops(split, rows, 4), strict=True):
        slices = [split.images(row[None])[0, :, y : y + 4, x : x + 4] for y in range(6) for x in range(4)]
        assert any(torch.equal(crop, piece) for piece in slices)


def test_every_place_occurs_about_equally_often():
    found = corners(random_crops(numbered(1, 9, 7), torch.zeros(9_000, dtype=torch.int64), 4), 7)
    assert found.amax(dim=0).tolist() == [5, 3]
    places = (found[:, 0] * 4 + found[:, 1]).bincount(minlength=24)
    assert len(places) == 24
    assert places.min() > 300
    assert places.max() < 450


def test_a_square_larger_than_the_image_repeats_its_last_row_and_column():
    (crop,) = random_crops(numbered(1, 2, 3), torch.tensor([0]), 5)
    assert crop[0].mul(255).round().tolist() == [[0, 1, 2, 2, 2]] + 4 * [[3, 4, 5, 5, 5]]


def test_squares_come_from_torch_s_generator():
    rows = torch.zeros(50, dtype=torch.int64)
    with seeded(3):
        first = random_crops(numbered(1, 9, 7), rows, 4)
        second = random_crops(numbered(1, 9, 7), rows, 4)
    with seeded(3):
        assert torch.equal(random_crops(numbered(1, 9, 7), rows, 4), first)
    assert not torch.equal(first, second)


def trained(split, validation=None, **settings):
    """What a training showed, batch by batch."""
    shown = []

    def loss(model, images, labels):
        shown.append((model.training, images.clone(), labels))
        return model(images).flatten(1).mean(dim=1)

    config = TrainingConfig(**{"epochs": 2, "batch_size": 4, "learning_rate": 1e-6, **settings})
    history = fit(nn.Conv2d(1, 1, 1), split, loss, config, seed=0, validation=validation, accelerator="cpu")
    return shown, history


def test_an_epoch_shows_each_image_as_often_as_it_visits_it_and_another_square_each_time():
    split = numbered(5, 9, 7)
    shown, _ = trained(split, crop=3, visits=4)
    assert [len(labels) for _, _, labels in shown] == 2 * [4, 4, 4, 4, 4]
    assert all(images.shape[1:] == (1, 3, 3) for _, images, _ in shown)
    labels = torch.cat([labels for _, _, labels in shown[:5]])
    assert labels.bincount().tolist() == [8, 8, 4]  # 4 visits of images 0 to 4, whose labels are 0 1 2 0 1
    places = corners(torch.cat([images for _, images, _ in shown]), 7)
    assert len(places.unique(dim=0)) > 15


def test_validation_sees_the_same_squares_after_each_epoch():
    shown, history = trained(numbered(5, 9, 7), numbered(3, 9, 7), crop=3)
    held = [images for training, images, _ in shown if not training]
    assert len(held) == len(history.validation_loss) == 2
    assert torch.equal(*held)


def test_without_squares_a_configuration_is_described_as_before_there_were_any():
    old = TrainingConfig(epochs=1)
    names = {entry.name for entry in fields(old) if counts(entry, old)}
    assert not names & {"crop", "visits"}
    new = TrainingConfig(epochs=1, crop=4, visits=2)
    assert {entry.name for entry in fields(new) if counts(entry, new)} == names | {"crop", "visits"}


def test_squares_are_not_shifted_twice():
    with pytest.raises(InputError, match="crop and augment 'flip-crop' both shift images"):
        TrainingConfig(epochs=1, crop=4, augment="flip-crop")
