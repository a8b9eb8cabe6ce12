"""Encoders and decoders whose every number is known."""

import pytest
import torch
from torch import nn

from purifold.networks.base import Decoder, Encoder

SHAPE = (1, 4, 4)


class Linear(Encoder):
    """One matrix."""

    @staticmethod
    def design(shape, outputs):
        return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], outputs))


class Curved(Encoder):
    """A matrix, tanh, a matrix: its Jacobian differs from image to image."""

    @staticmethod
    def design(shape, outputs):
        pixels = shape[0] * shape[1] * shape[2]
        return nn.Sequential(nn.Flatten(), nn.Linear(pixels, 9), nn.Tanh(), nn.Linear(9, outputs))


class Mirror(Decoder):
    """One matrix."""

    @staticmethod
    def design(shape, latent):
        return nn.Sequential(nn.Linear(latent, shape[0] * shape[1] * shape[2]), nn.Unflatten(1, shape))


class Grey(Decoder):
    """Logits of 0 whatever the latent, which it keeps: the loss shows the target, `seen` the latent."""

    def __init__(self, shape, latent):
        super().__init__(shape, latent)
        self.seen = []
        self.layers.register_forward_pre_hook(lambda _, arguments: self.seen.append(arguments[0].detach()))

    @staticmethod
    def design(shape, latent):
        network = nn.Sequential(nn.Linear(latent, shape[0] * shape[1] * shape[2]), nn.Unflatten(1, shape))
        for parameter in network.parameters():
            nn.init.zeros_(parameter)
        return network


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def images():
    return torch.rand(6, *SHAPE)


@pytest.fixture
def linear():
    return lambda outputs: Linear(SHAPE, outputs)


@pytest.fixture
def curved():
    return lambda outputs: Curved(SHAPE, outputs)


@pytest.fixture
def mirror():
    return lambda latent: Mirror(SHAPE, latent)


@pytest.fixture
def grey():
    return lambda latent: Grey(SHAPE, latent)
