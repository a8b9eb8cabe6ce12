"""Validation images out of a training part: a tenth, no more than 5,000, whole groups."""

import pytest
import torch

from purifold.data.divide import check_alike, divide
from purifold.data.split import Split
from purifold.errors import InputError


def split(count, name="set/train", size=2, classes=("a", "b")):
    pixels = torch.zeros(count, 1, size, size, dtype=torch.uint8)
    pixels[:, 0, 0, 0] = torch.arange(count) % 251
    return Split(name, pixels, torch.arange(count) % 2, classes)


@pytest.mark.parametrize(
    ("count", "held"), [(20, 2), (119, 11), (49_990, 4_999), (60_000, 5_000), (90_000, 5_000)]
)
def test_a_tenth_is_held_out_up_to_5000(count, held):
    train, validation = divide(split(count))
    assert (len(train), len(validation)) == (count - held, held)
    assert (train.name, validation.name) == ("set/train", "set/validation")


def test_every_image_is_in_one_part_with_its_label():
    train, validation = divide(split(200))
    seen = torch.cat([train.pixels, validation.pixels])[:, 0, 0, 0].sort().values
    assert torch.equal(seen.int(), torch.arange(200).int())
    for part in (train, validation):
        assert torch.equal(part.labels, part.pixels[:, 0, 0, 0].long() % 2)


def test_a_group_is_in_one_part():
    groups = torch.arange(200) // 4
    whole = split(200)
    _, validation = divide(whole, groups)
    rows = validation.pixels[:, 0, 0, 0].long()
    for group in groups[rows].unique():
        mates = {label: ((groups == group) & (whole.labels == label)).sum() for label in (0, 1)}
        held = {label: ((groups[rows] == group) & (validation.labels == label)).sum() for label in (0, 1)}
        assert all(held[label] in (0, mates[label]) for label in (0, 1))


def test_too_few_images_are_refused_by_name():
    with pytest.raises(InputError, match="set/train has 9 images, too few"):
        divide(split(9))


def test_parts_that_do_not_belong_together_are_refused_with_what_differs():
    test = split(4, name="set/test")
    check_alike(split(4), test)
    with pytest.raises(InputError, match="name their classes differently"):
        check_alike(split(4, classes=("a", "c")), test)
    with pytest.raises(InputError, match=r"set/train is .*3.*set/test .*2"):
        check_alike(split(4, size=3), test)
