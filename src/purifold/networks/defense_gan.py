"""The generator and critic of Defense-GAN, which are those of Gulrajani et al., 2017, for MNIST.

Samangouei et al., 2018, arXiv:1805.06605, appendix; https://github.com/igul222/improved_wgan_training,
gan_mnist.py. Differs: any image size; transposed convolutions crop at the size that three halvings pass
through instead of at 7x7.
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from purifold.networks.base import Shape
from purifold.types import Images, Latent, Scores


@final
class Generator(nn.Module):
    """Dense, three transposed 5x5 convolutions of stride 2 (from 4, 2, 1 times `width` channels), sigmoid.

    Args:
        shape: (channel, height, width) of the images.
        latent: Latent size; the paper's is 128.
        width: Channels of the last hidden layer; the paper's is 64.
    """

    def __init__(self, shape: Shape, latent: int, width: int) -> None:
        super().__init__()
        self.shape, self.latent = shape, latent
        eighth, quarter, half, whole = _halvings(shape)
        self.layers = nn.Sequential(
            nn.Linear(latent, 4 * width * eighth[0] * eighth[1]),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (4 * width, *eighth)),
            _doubling(4 * width, 2 * width, quarter),
            nn.ReLU(inplace=True),
            _doubling(2 * width, width, half),
            nn.ReLU(inplace=True),
            _doubling(width, shape[0], whole),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latent: Latent) -> Images:
        """Images in [0, 1]."""
        return torch.sigmoid(self.layers(latent))


@final
class Critic(nn.Module):
    """Three 5x5 convolutions of stride 2 (1, 2, 4 times `width` channels), leaky ReLU 0.2, dense.

    Without batch norm, which would tie an image's gradient penalty to its batch mates.

    Args:
        shape: (channel, height, width) of the images.
        width: Channels of the first layer.
    """

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        eighth, *_ = _halvings(shape)
        self.layers = nn.Sequential(
            *_halving(shape[0], width),
            *_halving(width, 2 * width),
            *_halving(2 * width, 4 * width),
            nn.Flatten(),
            nn.Linear(4 * width * eighth[0] * eighth[1], 1),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Images) -> Scores:
        """How real each image looks, unbounded."""
        found: Float[Tensor, "batch 1"] = self.layers(images)
        return found.squeeze(1)


def _halvings(shape: Shape) -> list[tuple[int, int]]:
    height, width = shape[1:]
    return [(-(-height // by), -(-width // by)) for by in (8, 4, 2, 1)]


def _halving(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 5, stride=2, padding=2), nn.LeakyReLU(0.2)]


def _doubling(before: int, after: int, size: tuple[int, int]) -> nn.Module:
    """Transposed convolution of stride 2 to exactly `size`."""
    extra = (1 - size[0] % 2, 1 - size[1] % 2)
    return nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=extra)
