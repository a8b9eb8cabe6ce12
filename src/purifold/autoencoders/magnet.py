"""MagNet's autoencoder: it has no bottleneck, and learns to take small noise away.

Meng and Chen, 2017, arXiv:1705.09064, sections 4.2 and 5.
"""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import nn

from purifold.errors import InputError
from purifold.networks.base import Shape
from purifold.networks.magnet import MagnetNetwork
from purifold.types import Images, Scores


@final
class MagnetAutoencoder(nn.Module):
    """Minimises the mean squared error between an image and what is made of it under noise.

    Args:
        network: From images to images.
        noise_std: Standard deviation of the Gaussian noise in training, clamped to [0, 1] with the image.

    Differs: without the weight decay of 1e-9.
    """

    def __init__(self, network: MagnetNetwork, *, noise_std: float) -> None:
        super().__init__()
        self.network = network
        self.noise_std = noise_std

    def reconstruct(self, images: Images) -> Images:
        """What the network makes of the images as they are."""
        return self.network(images)

    def loss(self, images: Images) -> Scores:
        """What training minimises, one an image."""
        noisy = (images + self.noise_std * torch.randn_like(images)).clamp(0, 1)
        return (self.network(noisy) - images).square().flatten(1).mean(dim=1)


@final
@dataclass(frozen=True, kw_only=True)
class MagnetSpec:
    """Description of MagNet's autoencoder but for the image shape.

    Args:
        width: As in `MagnetNetwork`.
        pooled: Likewise.
        noise_std: As in `MagnetAutoencoder`; the paper's is 0.1 for MNIST and 0.025 for CIFAR-10.
    """

    width: int = 3
    pooled: bool = True
    noise_std: float = 0.1

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError(f"width must be 1 or above, got {self.width}")
        if not 0 <= self.noise_std < math.inf:
            raise InputError(f"noise_std must be 0 or above and finite, got {self.noise_std}")

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        kind = "pooled" if self.pooled else "flat"
        return f"MagNet autoencoder, {kind}, width {self.width}, noise_std {self.noise_std:g}"

    def build(self, shape: Shape) -> MagnetAutoencoder:
        """The autoencoder for images of `shape`, its weights drawn from torch's generator."""
        network = MagnetNetwork(shape, width=self.width, pooled=self.pooled)
        return MagnetAutoencoder(network, noise_std=self.noise_std)
