"""Work in batches: all rows in their order, and a batch that does not fit is halved until it does."""

import logging
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.batches import at_once, in_batches
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.errors import Failure
from purifold.evaluation.judge import judge
from purifold.gauge import Gauge
from purifold.threat import ThreatModel

ROWS = torch.arange(10)
SIDES = {16: 256, 32: 171, 64: 43, 299: 2, 1024: 1}
"""Images in colour of this side that go together on a CPU."""
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


class Proportional(Gauge):
    """A device on which a row takes a byte, and a batch of more than there are does not fit."""

    def __init__(self, memory):
        self.memory, self.rows = memory, 0

    def start(self):
        self.rows = 0

    def taken(self):
        return self.rows

    def free(self):
        return self.memory


@pytest.fixture
def on_gpu(monkeypatch):
    """Work on a device of so many bytes; gives the sizes of the batches that it was asked for."""

    def sizes(memory, rows, size, *, promised=None, **options):
        gauge, tried = Proportional(memory if promised is None else promised), []
        monkeypatch.setattr("purifold.batches.gauge_of", lambda device: nullcontext(gauge))

        def work(batch):
            tried.append(len(batch))
            if len(batch) > memory:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
            gauge.rows = len(batch)
            return batch * 2

        assert torch.equal(in_batches(work, torch.arange(rows), size, **options), torch.arange(rows) * 2)
        return tried

    return sizes


@pytest.mark.parametrize(
    ("memory", "sizes"),
    [
        (10**6, [2, 16, 128, 54]),  # 8 times the last
        (80, [2, 16, 40, 40, 40, 40, 22]),  # half of the memory
        (6, [2] + [3] * 66),
        (2, [2] * 100),  # never fewer than fitted before
    ],
)
def test_batches_grow_on_a_gpu_as_far_as_half_of_its_memory_holds_them(on_gpu, memory, sizes):
    assert on_gpu(memory, 200, 2) == sizes


def test_a_batch_that_grew_too_large_is_halved_and_grows_no_more(on_gpu):
    assert on_gpu(20, 100, 4, promised=10**6) == [4, 32, 16, 16, 16, 16, 16, 16]


def test_batches_that_may_not_grow_do_not(on_gpu):
    assert on_gpu(10**6, 10, 4, grow=False) == [4, 4, 2]


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


def test_an_attack_takes_no_more_at_a_time_than_it_is_given(on_gpu, split):
    on_gpu(10**6, 2, 2)
    model = Scarce(99).eval()
    PGD(steps=1)(model, split.images(), split.labels, THREAT, batch_size=2)
    assert model.largest == 2


@pytest.mark.parametrize("side", SIDES)
def test_fewer_images_go_together_the_larger_they_are(side):
    assert at_once(torch.zeros(1).expand(300, 3, side, side)) == SIDES[side]
    assert at_once(torch.zeros(1).expand(300, 1, side, side)) >= SIDES[side]


def test_attacks_and_predictions_take_so_many_where_nobody_says():
    images, labels = torch.zeros(1).expand(70, 3, 64, 64), torch.zeros(70, dtype=torch.long)
    defended = Defended(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 2))).eval()
    seen = []
    defended.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    defended.predict(images)
    assert seen == [43, 27]
    seen.clear()
    PGD(steps=1)(defended, images, labels, THREAT)
    assert max(seen) == 43
