"""A split: bytes to images, parts of it, and a hash that tells splits apart."""

from dataclasses import replace

import pytest
import torch

from purifold.data.split import DataSet, Split
from purifold.errors import InputError


@pytest.fixture
def split():
    pixels = torch.arange(4 * 1 * 2 * 2).reshape(4, 1, 2, 2).to(torch.uint8) * 17
    return Split("some/test", pixels, torch.tensor([0, 1, 1, 0]), ("cat", "dog"))


def test_images_are_bytes_over_255(split):
    assert torch.equal(split.images(), split.pixels.double().div(255).float())
    assert split.images().max() == 1  # 15 * 17 = 255


def test_a_selection_keeps_images_with_their_labels(split):
    chosen = split.select(torch.tensor([2, 0]))
    assert torch.equal(chosen.pixels, split.pixels[[2, 0]])
    assert chosen.labels.tolist() == [1, 0]
    assert len(split.first(100)) == 4
    assert split.first(2).hash == split.select(slice(2)).hash


def test_the_hash_tells_every_difference_and_nothing_else(split):
    same = Split("another name", split.pixels.clone(), split.labels.clone(), split.classes)
    changed = split.pixels.clone()
    changed[3, 0, 1, 1] -= 1
    others = [
        replace(split, pixels=changed),
        replace(split, labels=1 - split.labels),
        replace(split, classes=("cat", "cow")),
        replace(split, pixels=split.pixels.reshape(4, 1, 4, 1)),
        split.select(torch.tensor([1, 0, 2, 3])),
    ]
    assert same.hash == split.hash
    assert len({split.hash, *(other.hash for other in others)}) == 6


def test_a_part_that_a_data_set_lacks_is_refused_by_name(split):
    data = DataSet("some", None, None, split)
    assert data.part("test") is split
    assert (data.shape, data.classes) == ((1, 2, 2), 2)
    with pytest.raises(InputError, match="some has no train images"):
        data.part("train")


def test_a_sample_is_the_first_images_unless_they_are_ordered_by_class(split):
    assert split.sample(2).hash == split.first(2).hash
    ordered = Split(
        "b", torch.arange(100).view(100, 1, 1, 1).byte(), torch.arange(100) // 10, tuple("abcdefghij")
    )
    chosen = ordered.sample(50)
    assert chosen.hash == ordered.sample(50).hash
    assert len(set(chosen.pixels.flatten().tolist())) == 50
    assert len(chosen.labels.unique()) > 5
    assert torch.equal(chosen.labels, chosen.pixels.flatten().long() // 10)


def test_the_rest_is_what_a_sample_leaves(split):
    ordered = Split(
        "b", torch.arange(100).view(100, 1, 1, 1).byte(), torch.arange(100) // 10, tuple("abcdefghij")
    )
    for whole in (ordered, ordered.select(torch.arange(100).flip(0))):
        taken, left = whole.sample(30), whole.rest(30)
        both = torch.cat([taken.pixels, left.pixels]).flatten().tolist()
        assert (len(taken), len(left)) == (30, 70)
        assert sorted(both) == list(range(100))
    assert len(ordered.rest(100)) == 0
