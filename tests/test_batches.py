"""Work in batches: all rows in their order, and a batch that does not fit is halved until it does."""

import logging

import pytest
import torch
from torch import nn

from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.batches import in_batches
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.errors import Failure
from purifold.evaluation.judge import judge
from purifold.threat import ThreatModel

ROWS = torch.arange(10)
THREAT = ThreatModel("linf", 0.1)


def scarce(most, sizes, work=lambda rows: rows * 2):
    """Work that fits for `most` rows; `sizes` gets how many it was asked for."""

    def tried(rows):
        sizes.append(len(rows))
        if len(rows) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB. GPU 0 has none")
        return work(rows)

    return tried


@pytest.mark.parametrize(
    ("most", "size", "sizes"),
    [
        (10, 4, [4, 4, 2]),
        (99, 256, [10]),
        (3, 4, [4, 2, 2, 2, 2, 2]),  # what did not fit once is not tried again
        (3, 256, [10, 5, 2, 2, 2, 2, 2]),  # half of what was tried, not of what was allowed
        (1, 1, [1] * 10),
    ],
)
def test_all_rows_come_in_their_order_whatever_fits(most, size, sizes):
    tried = []
    assert torch.equal(in_batches(scarce(most, tried), ROWS, size), ROWS * 2)
    assert tried == sizes


def test_a_batch_in_the_middle_that_does_not_fit_is_made_once(caplog):
    made = []

    def work(rows):
        if 4 in rows and len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        made.extend(rows.tolist())
        return rows

    with caplog.at_level(logging.WARNING):
        assert torch.equal(in_batches(work, ROWS, 4), ROWS)
    assert made == ROWS.tolist()
    assert caplog.messages == ["out of memory with 4 images at a time; goes on with 2"]


def test_a_single_image_that_does_not_fit_is_a_failure_in_one_line():
    with pytest.raises(Failure, match=r"out of memory with a single image at a time \(CUDA out of memory\)"):
        in_batches(scarce(0, []), ROWS, 4)


def test_no_rows_are_asked_about_once():
    assert in_batches(lambda rows: rows[:, None], ROWS[:0], 4).shape == (0, 1)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def broken(rows):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        in_batches(broken, ROWS, 4)


class Scarce(nn.Module):
    """A linear classifier for which only some images fit into memory."""

    def __init__(self, most):
        super().__init__()
        weights = torch.randn(3, 12, generator=torch.Generator().manual_seed(0))
        self.weights = nn.Parameter(weights, requires_grad=False)
        self.most, self.largest = most, 0

    def forward(self, images):
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        self.largest = max(self.largest, len(images))
        return images.flatten(1) @ self.weights.T


@pytest.fixture
def split():
    pixels = torch.randint(
        0, 256, (9, 3, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    return Split("some/test", pixels, torch.arange(9) % 3, ("a", "b", "c"))


@pytest.mark.parametrize("attack", [PGD(steps=5), Square(queries=20)])
def test_an_attack_that_runs_out_of_memory_ends_as_one_that_does_not(attack, split):
    ample, scarce = Scarce(99).eval(), Scarce(2).eval()
    given = (split.images(), split.labels, THREAT)
    assert torch.equal(attack(scarce, *given, seed=3), attack(ample, *given, seed=3))
    assert (ample.largest, scarce.largest) == (9, 2)


def test_a_judge_that_runs_out_of_memory_says_the_same(split):
    adversarial = {"moved": (split.images() + 0.1).clamp(0, 1)}
    ample, scarce = (
        judge(Defended(Scarce(most)).eval(), split, adversarial, THREAT, "oblivious", draws=2, seed=0)
        for most in (99, 2)
    )
    assert torch.equal(scarce.clean, ample.clean)
    assert torch.equal(scarce.attacked["moved"].predictions, ample.attacked["moved"].predictions)
    assert torch.equal(scarce.attacked["moved"].rounded, ample.attacked["moved"].rounded)
