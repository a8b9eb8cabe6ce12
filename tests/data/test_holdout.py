import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from purifold.data.holdout import holdout
from purifold.errors import InputError

labellings = st.lists(st.integers(0, 4), min_size=2, max_size=80)


@given(labellings, st.data())
def test_rows_are_divided_without_loss_or_overlap(labels, data):
    count = data.draw(st.integers(0, len(labels) - 1))
    kept, held = holdout(torch.tensor(labels), count)
    assert sorted(kept.tolist() + held.tolist()) == list(range(len(labels)))
    assert kept.tolist() == sorted(kept.tolist())
    assert held.tolist() == sorted(held.tolist())


@given(labellings, st.integers(0, 50))
def test_every_class_gives_its_share_within_one_image_and_the_total_is_exact(labels, percent):
    many = torch.tensor(labels * 4)
    count = len(many) * percent // 100
    _, held = holdout(many, count)
    assert len(held) == count
    for label in set(labels):
        share = count * float((many == label).sum()) / len(many)
        assert abs(float((many[held] == label).sum()) - share) <= 1


@given(labellings, st.data())
def test_no_group_of_a_class_is_divided_and_every_class_keeps_one(labels, data):
    groups = data.draw(st.lists(st.integers(0, 5), min_size=len(labels), max_size=len(labels)))
    kept, held = holdout(torch.tensor(labels), len(labels) // 2, torch.tensor(groups))
    pairs = list(zip(labels, groups, strict=True))
    assert not {pairs[row] for row in kept} & {pairs[row] for row in held}
    assert {labels[row] for row in kept} == set(labels)


def test_groups_of_equal_size_give_an_exact_total():
    labels = torch.arange(6).repeat_interleave(30)
    groups = torch.arange(180) // 3
    _, held = holdout(labels, 18, groups)
    assert torch.bincount(labels[held]).tolist() == [3] * 6
    assert len(held) == 18


def test_same_rows_on_every_machine():
    # RandomState(0).permutation(10) begins with 2 and 8, and its next one with 3 and 5
    labels = torch.arange(20) % 2
    _, held = holdout(labels, 4)
    assert held.tolist() == [2 * 2, 2 * 3 + 1, 2 * 5 + 1, 2 * 8]


def test_another_seed_holds_other_images_out():
    labels = torch.zeros(1000, dtype=torch.int64)
    first, second = (set(holdout(labels, 100, seed=seed)[1].tolist()) for seed in (0, 1))
    assert len(first & second) < 30  # 10 are expected to be shared


def test_held_images_come_from_everywhere_in_the_data():
    _, held = holdout(torch.zeros(10_000, dtype=torch.int64), 1000)
    tenths = np.bincount(held.numpy() // 1000, minlength=10)
    assert tenths.min() > 60  # hypergeometric: mean 100, standard deviation 9
    assert tenths.max() < 140


@pytest.mark.parametrize("count", [-1, 3, 4])
def test_impossible_counts_are_refused(count):
    with pytest.raises(InputError, match=r"count must lie in \[0, 3\)"):
        holdout(torch.zeros(3, dtype=torch.int64), count)
