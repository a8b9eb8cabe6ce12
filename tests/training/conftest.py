import pytest
import torch
import torch.nn.functional as F
from torch import nn

from purifold.data.split import Split
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit

CLASSES = ("a", "b", "c")


def cross_entropy(model, images, labels):
    return F.cross_entropy(model(images), labels, reduction="none")


def noisy(seed=0):
    """Dropout draws noise, batch normalisation keeps buffers: both must survive a resume."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 16, 3)
    )


def make_split(count=50, seed=0, size=6):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 1, size, size), dtype=torch.uint8, generator=generator)
    return Split("tests/random", pixels, torch.randint(0, 3, (count,), generator=generator), CLASSES)


@pytest.fixture
def split():
    return make_split


@pytest.fixture
def network():
    return noisy


@pytest.fixture
def linear():
    """Makes a linear classifier, always the same."""

    def make():
        torch.manual_seed(1)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 3))

    return make


@pytest.fixture
def loss():
    return cross_entropy


@pytest.fixture
def train(split, loss):
    """fit on the CPU with the small defaults of these tests; keywords are those of fit and its config."""

    def run(
        model, *, seed=0, count=50, of=loss, validation=None, folder=None, every=1, progress=None, **config
    ):
        config = TrainingConfig(**{"epochs": 3, "batch_size": 16, **config})
        return fit(
            model,
            split(count),
            of,
            config,
            seed=seed,
            validation=validation,
            folder=folder,
            checkpoint_every=every,
            accelerator="cpu",
            progress=progress,
        )

    return run


@pytest.fixture
def same():
    def equal(one, other):
        one, other = one.state_dict(), other.state_dict()
        return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)

    return equal
