"""Batches that fit into memory: where one does not, it is halved, and the work goes on.

An image's result does not depend on its batch, but for a stochastic model's own sampling: its draws then are
others, as likely as those of the whole batch.
"""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from purifold.errors import Failure

_log = logging.getLogger(__name__)


def in_batches(work: Callable[[Tensor], Tensor], rows: Tensor, size: int) -> Tensor:
    """What `work` gives for all rows, in their order.

    Args:
        work: What it gives is put together along the first dimension. Asked again with fewer rows when it
            ran out of memory.
        rows: Images, or their places; where there are none, `work` is asked about none.
        size: Rows at a time, at most; 1 or above.

    Raises:
        Failure: A single row does not fit.
    """
    found: list[Tensor] = []
    while len(rows) or not found:
        try:
            found.append(work(rows[:size]))
        except torch.OutOfMemoryError as error:
            size = halved(min(size, len(rows)), error)
        else:
            rows = rows[size:]
    return torch.cat(found)


def halved(size: int, error: torch.OutOfMemoryError) -> int:
    """The next smaller batch to try after one of `size` did not fit, which is logged; refuses to halve 1."""
    if size <= 1:
        reason = str(error).partition(". ")[0]
        raise Failure(f"out of memory with a single image at a time ({reason}); free the device") from error
    _log.warning("out of memory with %d images at a time; goes on with %d", size, size // 2)
    return size // 2
