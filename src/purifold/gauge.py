"""How large a batch may become on a GPU: by what the last one took at its height, and what is free."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import final

import torch

SHARE = 0.5
"""Of the free memory that a batch may fill: others may use the GPU, and results are put together there."""
FASTEST = 8
"""Times the last batch that the next one may be."""
_taken = ContextVar("_taken", default=False)


class Gauge(ABC):
    """The memory of a device."""

    @abstractmethod
    def start(self) -> None:
        """Called before a batch."""

    @abstractmethod
    def taken(self) -> int:
        """Bytes that were allocated since `start`, at the height."""

    @abstractmethod
    def free(self) -> int:
        """Bytes that can be allocated now."""


@final
class CudaGauge(Gauge):
    """The memory of a GPU, as torch's allocator counts it; counts its peak anew."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._before = device, 0

    def start(self) -> None:
        """See `Gauge.start`."""
        torch.cuda.reset_peak_memory_stats(self._device)
        self._before = torch.cuda.memory_allocated(self._device)

    def taken(self) -> int:
        """See `Gauge.taken`."""
        return torch.cuda.max_memory_allocated(self._device) - self._before

    def free(self) -> int:
        """See `Gauge.free`: what the driver has left, and what torch's allocator holds unused."""
        cached = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return torch.cuda.mem_get_info(self._device)[0] + cached


@contextmanager
def gauge_of(device: torch.device) -> Iterator[Gauge | None]:
    """The gauge of a GPU; None on other devices, and while another gauge is in use: both count one peak."""
    if device.type != "cuda" or _taken.get():
        yield None
        return
    token = _taken.set(True)
    try:
        yield CudaGauge(device)
    finally:
        _taken.reset(token)


def larger(rows: int, gauge: Gauge) -> int:
    """How many rows may follow a batch of `rows`, by what it took; never fewer than it had."""
    taken = gauge.taken()
    fits = int(SHARE * gauge.free() * rows / taken) if taken > 0 else FASTEST * rows
    return max(rows, min(fits, FASTEST * rows))
