"""Memory that a step frees stays with the process, for the next batch.

By itself glibc returns every large block to the system, and takes new pages at the next batch: a part of the
seconds of a training on a CPU that is measured in system time.
"""

import ctypes
import sys
from functools import cache

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
"""Parameters of glibc's `mallopt`."""
KEPT, GROWN_BY = 2**31 - 1, 2**28
"""Bytes at the top of the heap that stay, and bytes that it grows by."""


@cache
def keep_freed_memory() -> bool:
    """Tells the allocator once; False where it is not glibc's, whose habits stay as they are."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(
        mallopt(name, value) for name, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, KEPT), (TOP_PAD, GROWN_BY))
    )
