"""Huge pages: a large block costs a fraction of the page faults."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from purifold.engine import memory

GRANTED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
COUNT = """
import resource, sys
import torch
from purifold.engine.memory import ask_for_huge_pages
if sys.argv[1] == "huge":
    ask_for_huge_pages()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.ones(16_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(pages, **environment):
    command = [sys.executable, "-c", COUNT, pages]
    own = ("MALLOC_", memory.ASKED)
    there = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env={**there, **environment})
    return int(found.stdout)


@pytest.mark.skipif(
    not GRANTED.exists() or "[madvise]" not in GRANTED.read_text(), reason="not granted to those that ask"
)
def test_a_large_block_costs_few_faults():
    small = 5 * 64_000_000 / resource.getpagesize()
    assert faults("huge") < 0.1 * small
    assert faults("small") > 0.9 * small


def test_what_the_user_said_stays(monkeypatch):
    monkeypatch.setenv(memory.ASKED, "0")
    memory.ask_for_huge_pages()
    assert os.environ[memory.ASKED] == "0"
