"""Freed memory stays: the second use of a large block costs no page faults."""

import resource
import subprocess
import sys

import pytest

from purifold.engine.memory import keep_freed_memory

COUNT = """
import resource, sys
import torch
from purifold.engine.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(2):
    torch.ones(16_000_000)
before = faults()
for _ in range(5):
    torch.ones(16_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(not keep_freed_memory(), reason="the allocator is not glibc's")
def test_large_blocks_are_used_again():
    def counted(how):
        found = subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True)
        return int(found.stdout)

    pages = 5 * 64_000_000 / resource.getpagesize()
    assert counted("kept") < 0.05 * pages
    if counted("as it is") < 0.5 * pages:
        pytest.skip("huge pages hide what this measures")
