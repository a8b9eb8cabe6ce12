"""Memory of an attack: it grows with the images, not with what is done to them."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys, torch
from purifold.attacks.pgd import PGD
from purifold.networks.base import build_classifier
from purifold.randomness import seeded
from purifold.threat import ThreatModel

count = int(sys.argv[1])
torch.set_num_threads(1)
with seeded(0):
    model = build_classifier("small-cnn", (3, 32, 32), 10).eval()
    images = torch.rand(count, 3, 32, 32)
labels = torch.zeros(count, dtype=torch.long)
PGD(steps=2)(model, images, labels, ThreatModel("linf", 0.1), batch_size=64)
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
"""


def peak(count):
    """Bytes that a process of its own held at most while it attacked `count` images."""
    command = [sys.executable, "-c", PROGRAM, str(count)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
def test_four_times_the_images_cost_their_own_bytes_and_no_more_work():
    few, many = 640, 2_560
    copies = 3  # the images, their adversarial versions batch by batch, and those put together
    added = copies * (many - few) * 3 * 32 * 32 * 4
    assert peak(many) - peak(few) < 1.2 * added
