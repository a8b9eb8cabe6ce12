"""Batches that fit into memory: where one does not, it is halved; on a GPU with room for more, they grow.

An image's result does not depend on its batch, but for a stochastic model's own sampling: its draws then are
others, as likely as those of the whole batch.
"""

import logging
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from purifold.errors import Failure
from purifold.gauge import gauge_of, larger

ON_CPU, ON_GPU = (256, 2**19), (1024, 3 * 2**20)
"""Images at a time, and numbers in all of them; larger batches are no faster, and on a CPU soon slower."""
_log = logging.getLogger(__name__)


def at_once(images: Tensor) -> int:
    """How many of these images to give to a network at a time: fewer of larger ones, which fill caches."""
    most, numbers = ON_CPU if images.device.type == "cpu" else ON_GPU
    each = images.shape[1:].numel()
    return max(1, min(most, round(numbers / max(1, each))))


def in_batches(work: Callable[[Tensor], Tensor], rows: Tensor, size: int, *, grow: bool = True) -> Tensor:
    """What `work` gives for all rows, in their order.

    Args:
        work: What it gives is put together along the first dimension. Asked again with fewer rows when it
            ran out of memory.
        rows: Images, or their places, on the device of the work; where there are none, `work` is asked about
            none.
        size: Rows at a time; 1 or above.
        grow: Whether those after the first may be more on a GPU, as `purifold.gauge` finds room for them,
            until a batch does not fit; else `size` is the most.

    Raises:
        Failure: A single row does not fit.
    """
    found: list[Tensor] = []
    with gauge_of(rows.device) if grow else nullcontext() as gauge:
        while len(rows) or not found:
            batch = rows[:size]
            if gauge and grow:
                gauge.start()
            try:
                found.append(work(batch))
            except torch.OutOfMemoryError as error:
                size, grow = halved(len(batch), error), False
            else:
                rows = rows[size:]
                if gauge and grow:
                    size = larger(len(batch), gauge)
    return torch.cat(found)


def halved(size: int, error: torch.OutOfMemoryError) -> int:
    """The next smaller batch to try after one of `size` did not fit, which is logged; refuses to halve 1."""
    if size <= 1:
        reason = str(error).partition(". ")[0]
        raise Failure(f"out of memory with a single image at a time ({reason}); free the device") from error
    _log.warning("out of memory with %d images at a time; goes on with %d", size, size // 2)
    return size // 2
