"""The data of a step: named by content, and refused where the content is another."""

from dataclasses import replace

import pytest
import torch

from purifold.data.load import load
from purifold.engine.step import Resources
from purifold.engine.steps.data import Data
from purifold.errors import InputError

HERE = Resources()


def test_a_data_set_is_named_by_the_hashes_of_its_parts(data):
    found = load("digits")
    assert data.hashes == (found.train.hash, found.validation.hash, found.test.hash)
    assert len(set(data.hashes)) == 3


def test_a_part_is_that_of_the_data_set_or_a_sample_of_it(data):
    test = load("digits").test
    assert data.part("test", HERE).hash == test.hash
    assert torch.equal(data.part("test", HERE, 7).pixels, test.sample(7).pixels)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_other_images_under_the_same_name_are_refused(data, place):
    hashes = list(data.hashes)
    hashes[place] = "0"
    with pytest.raises(InputError, match="not those this study was planned with"):
        replace(data, hashes=tuple(hashes)).load(HERE)


def test_a_part_that_is_not_there_has_an_empty_hash(data, monkeypatch):
    whole = load("digits")
    monkeypatch.setattr("purifold.engine.steps.data.load", lambda name, root: replace(whole, train=None))
    found = Data.named("no-such-name", HERE)
    assert found.hashes == ("", *data.hashes[1:])
    with pytest.raises(InputError, match="has no train images"):
        found.part("train", HERE)
