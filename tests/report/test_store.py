"""Status and plan of a store, as lines."""

import pytest

from purifold.engine.inventory import Inventory, Waste
from purifold.report.store import plan, size, status


def test_status_sums_by_kind_and_lists_failures():
    found = Inventory(
        sizes={"craft/a": 1_500, "craft/b": 500, "judge/c": 2_000_000},
        seconds={"craft/a": 1.0, "craft/b": 2.5, "judge/c": 120.0},
        running={"craft/d", "craft/e", "judge/f"},
        unfinished={"judge/g": 12},
        failed={"craft/h": "ValueError: diverged"},
        damaged={},
    )
    assert list(status(found)) == [
        "kind     made         time       size",
        "craft       2        3.5 s     2.0 kB",
        "judge       1        2 min     2.0 MB",
        "total       3        2 min     2.0 MB",
        "running: 3 (craft 2, judge 1)",
        "failed: 1 (craft 1)",
        "  craft/h: ValueError: diverged",
        "unfinished, left by dead processes: 1, 12 B",
        "damaged or without a manifest: 0",
    ]


def test_the_plan_says_what_would_go():
    found = Waste(
        unreferenced={"craft/a": 999, "craft/b": 1}, unfinished={}, damaged={"damaged/craft/c-1": 5}
    )
    assert list(plan(found)) == [
        "needed by none of the studies: 2, 1.0 kB",
        "unfinished, left by dead processes: 0",
        "damaged or without a manifest: 1, 5 B",
    ]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (123_456, "123 kB"),
        (5 * 10**9, "5.0 GB"),
        (2 * 10**12, "2.0 TB"),
    ],
)
def test_sizes_read_as_one_says_them(count, text):
    assert size(count) == text
