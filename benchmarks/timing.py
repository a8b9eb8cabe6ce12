"""Timing inside one process: medians of repeated calls, beside what the machine can do."""

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from purifold.evaluation.environment import environment

SIDE = 2048


def seconds(call: Callable[[], object]) -> float:
    """Wall clock of one call."""
    start = perf_counter()
    call()
    return perf_counter() - start


def median_seconds(call: Callable[[], object], repeats: int = 15) -> float:
    """Median wall clock of `repeats` calls, after one that warms up."""
    call()
    return statistics.median(seconds(call) for _ in range(repeats))


def matrix_product(side: int, dtype: torch.dtype = torch.float32, repeats: int = 7) -> float:
    """Measured rate of a square matrix product in GFLOP/s."""
    square = torch.rand(side, side).to(dtype)
    return 2 * side**3 / median_seconds(lambda: square @ square, repeats) / 1e9


def machine(*, smoke: bool = False) -> dict[str, Any]:
    """Hardware, versions, and the measured rate of a float32 matrix product in GFLOP/s."""
    rate = matrix_product(64 if smoke else SIDE)
    return {**environment(), "matrix_product_gflops": float(f"{rate:.4g}")}
