import pytest
import torch
from torch import nn

from purifold.attacks.pgd import PGD
from purifold.data.split import Split
from purifold.evaluation.outcome import Attacked, Outcome
from purifold.evaluation.trial import Trial
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.1)
WIDE = ThreatModel("linf", 0.3)
WEAK = PGD(steps=3, random_start=False)


class Brightness(nn.Module):
    """Class 1 where the mean pixel exceeds a half: logits -m and m for m = gain (mean - 0.5)."""

    def __init__(self, gain=10.0):
        super().__init__()
        self.gain = gain

    def forward(self, images):
        excess = self.gain * (images.flatten(1).mean(dim=1) - 0.5)
        return torch.stack([-excess, excess], dim=1)


@pytest.fixture
def brightness():
    """The linear classifier; the L-infinity distance of an image to the boundary is |mean - 0.5|."""
    return Brightness().eval()


@pytest.fixture
def levels():
    """Makes a split of flat 4 by 4 images of the given byte levels, labelled by brightness."""

    def make(*values, classes=2):
        pixels = torch.tensor(values, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4).contiguous()
        return Split("flat/test", pixels, (torch.tensor(values) > 127).long(), tuple("abcdefgh"[:classes]))

    return make


@pytest.fixture
def outcome():
    """Makes an outcome of given predictions; all distances are `distance`."""

    def make(labels, clean, attacked, *, threat=LINF, knowledge="adaptive", **given):
        def table(values):
            rows = torch.tensor(values)
            return rows[:, None] if rows.ndim == 1 else rows

        def one(name, found):
            distance = torch.as_tensor(given.get("distance", 0.05)).expand(len(found)).clone()
            rounded = table(given.get("rounded", {}).get(name, found))
            return Attacked(table(found), rounded, 4 * distance, distance, distance / 2)

        return Outcome(
            threat,
            knowledge,
            given.get("images", "0123456789abcdef"),
            torch.tensor(labels),
            table(clean),
            {name: one(name, found) for name, found in attacked.items()},
        )

    return make


@pytest.fixture
def trial(levels):
    """Makes what the checks look at: sixteen images and a small attack, unless given."""

    def make(system, attacks=(WEAK,), threat=WIDE):
        split = levels(*range(76, 124, 6), *range(132, 180, 6))
        return Trial(system.eval(), split, attacks, threat, seed=0, eot=3, batch_size=256)

    return make
