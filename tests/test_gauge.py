"""How far a batch may grow: against the sum, and against what torch's allocator counts."""

import pytest
import torch

from purifold.batches import in_batches
from purifold.gauge import CudaGauge, Gauge, gauge_of, larger

GPU = torch.device("cuda")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


class Fixed(Gauge):
    def __init__(self, taken, free):
        self.counted = taken, free

    def start(self):
        pass

    def taken(self):
        return self.counted[0]

    def free(self):
        return self.counted[1]


@pytest.mark.parametrize(
    ("taken", "free", "rows"),
    [
        (100, 1000, 50),  # 10 bytes a row, 500 for them
        (100, 10**6, 80),
        (100, 150, 10),  # 7 would fit into half of what is free, and 10 did
        (0, 1000, 80),
    ],
)
def test_half_of_the_free_memory_bounds_the_next_batch_and_so_does_the_last(taken, free, rows):
    assert larger(10, Fixed(taken, free)) == rows


def test_elsewhere_than_on_a_gpu_nothing_is_gauged():
    with gauge_of(torch.device("cpu")) as gauge:
        assert gauge is None


def test_one_gauge_is_in_use_at_a_time():
    with gauge_of(GPU) as outer:
        with gauge_of(GPU) as inner:
            assert (isinstance(outer, CudaGauge), inner) == (True, None)
        with gauge_of(GPU) as still:
            assert still is None
    with gauge_of(GPU) as later:
        assert isinstance(later, CudaGauge)


@gpu
def test_the_height_counts_what_was_freed_since():
    gauge = CudaGauge(GPU)
    gauge.start()
    kept = torch.empty(2**20, dtype=torch.uint8, device=GPU)
    free = gauge.free()
    torch.empty(2**22, dtype=torch.uint8, device=GPU)
    assert gauge.taken() == len(kept) + 2**22
    assert abs(gauge.free() - free) < 2**21  # what was freed is free again, in torch's hands or the driver's


@gpu
def test_batches_grow_on_a_gpu():
    sizes = []

    def work(rows):
        sizes.append(len(rows))
        return rows.float().expand(1000, -1).sum(dim=0)

    in_batches(work, torch.arange(1000, device=GPU), 8)
    assert sizes == [8, 64, 512, 416]
