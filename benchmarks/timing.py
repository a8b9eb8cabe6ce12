"""Timing inside one process: medians of repeated calls, beside what the machine can do."""

import shlex
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from purifold.evaluation.environment import environment

SIDE = 2048
STARTED = perf_counter()


def seconds(call: Callable[[], object]) -> float:
    """Wall clock of one call."""
    start = perf_counter()
    call()
    return perf_counter() - start


def median_seconds(call: Callable[[], object], repeats: int = 15) -> float:
    """Median wall clock of `repeats` calls, after one that warms up."""
    call()
    return statistics.median(seconds(call) for _ in range(repeats))


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Median of the ratios of each turn: a machine that is slow for a while is so for both of a turn."""
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def matrix_product(side: int, dtype: torch.dtype = torch.float32, repeats: int = 7) -> float:
    """Measured rate of a square matrix product in GFLOP/s."""
    square = torch.rand(side, side).to(dtype)
    return 2 * side**3 / median_seconds(lambda: square @ square, repeats) / 1e9


def made(*, smoke: bool = False) -> dict[str, Any]:
    """How a record comes about: the command, its wall clock until now in seconds, and the machine."""
    elapsed = perf_counter() - STARTED
    return {
        "command": shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "seconds": round(elapsed, 1),
        "machine": _machine(smoke=smoke),
    }


def _machine(*, smoke: bool) -> dict[str, Any]:
    """Hardware, versions, and the measured rate of a float32 matrix product in GFLOP/s."""
    rate = matrix_product(64 if smoke else SIDE)
    return {**environment(), "matrix_product_gflops": float(f"{rate:.4g}")}
