import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from purifold.data.load import load
from purifold.errors import InputError


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def parts(digits):
    return (digits.train, digits.validation, digits.test)


def test_sixteen_steps_are_stretched_to_bytes_and_rounded_to_the_nearest(digits):
    # k * 255 / 16 = k * 15.9375; the only tie, 127.5, goes up
    nearest = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    values = torch.cat([part.pixels.unique() for part in parts(digits)]).unique()
    assert values.tolist() == nearest


def test_parts_together_are_scikit_learns_images_with_their_labels(digits):
    bunch = load_digits()
    pixels = torch.cat([part.pixels for part in parts(digits)]).flatten(1).double()
    labels = torch.cat([part.labels for part in parts(digits)])
    ours = np.column_stack([(pixels * 16 / 255).round().numpy(), labels.numpy()])
    theirs = np.column_stack([bunch.data, bunch.target])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_parts_have_their_stated_sizes_and_each_class_its_share(digits):
    assert [len(part) for part in parts(digits)] == [1100, 200, 497]
    whole = torch.bincount(torch.cat([part.labels for part in parts(digits)]))
    for part in parts(digits):
        share = whole * len(part) / 1797
        assert (torch.bincount(part.labels) - share).abs().max() < 2


def test_division_is_the_same_on_every_machine(digits):
    assert [part.hash for part in parts(digits)] == [
        "7fd60e33d97729b0",
        "871f0457a6aa4793",
        "c870542ea9330edd",
    ]


def test_root_makes_no_difference(digits, tmp_path):
    assert load("digits", tmp_path).test.hash == digits.test.hash


def test_other_labels_are_refused():
    with pytest.raises(InputError, match="digits has one kind of label; leave ':parity' out"):
        load("digits:parity")
