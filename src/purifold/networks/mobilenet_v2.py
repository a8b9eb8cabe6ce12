"""MobileNetV2 at 224 pixels: Sandler et al., 2018, arXiv:1801.04381, table 2; Keras' layers and weights.

Differs: batch normalisation is folded into the convolutions, as the published weights have it, so this is a
network to be used and not to be trained. Layers of stride 2 pad on the right and below only, as Keras does.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from purifold.errors import Failure
from purifold.networks.base import Classifier, Shape
from purifold.networks.published import Published
from purifold.networks.resize import Resize

SIDE = 224
STEM, LAST = 32, 1280
BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, repeats and stride of the first repeat."""
CENTRE = (0.5, 0.5, 0.5)
"""Mean and standard deviation of each channel that Keras takes: images in [-1, 1]."""


@final
class MobileNetV2(Classifier):
    """Resizing to 224 pixels, a convolution, 17 inverted residual blocks, global average, dense."""

    name = "mobilenet-v2"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; any size."""
        layers: list[nn.Module] = [Resize(SIDE), *_convolution(shape[0], STEM, stride=2), nn.ReLU6()]
        before = STEM
        for expansion, channels, repeats, stride in BLOCKS:
            for repeat in range(repeats):
                layers.append(_Block(before, channels, expansion, stride if repeat == 0 else 1))
                before = channels
        layers += [nn.Conv2d(before, LAST, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(LAST, classes))


class _Block(nn.Module):
    """Expansion, depth-wise convolution, projection; with the input added where it has the same shape."""

    def __init__(self, before: int, after: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = before * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [nn.Conv2d(before, inner, 1), nn.ReLU6()]
        layers += [*_convolution(inner, inner, stride=stride, groups=inner), nn.ReLU6()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(inner, after, 1))
        self.residual = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        """Features of the block's own channels, and of half the size at stride 2."""
        return features + self.layers(features) if self.residual else self.layers(features)


def _convolution(before: int, after: int, stride: int, groups: int = 1) -> list[nn.Module]:
    """A 3x3 convolution, padded as Keras pads it."""
    if stride == 1:
        return [nn.Conv2d(before, after, 3, padding=1, groups=groups)]
    return [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(before, after, 3, stride=stride, groups=groups)]


def _keras(shape: Shape, classes: int) -> nn.Module:
    return MobileNetV2(shape, classes, mean=CENTRE[: shape[0]], std=CENTRE[: shape[0]])


def _read(network: nn.Module, path: Path | None) -> Mapping[str, Tensor]:
    """Weights of 8 bits with a scale an output channel: arrays wNN, sNN and bNN in order of execution."""
    state = dict(network.state_dict())
    try:
        with np.load(path, allow_pickle=False) as arrays:  # type: ignore[arg-type]
            for place, name in enumerate(_weighted(network)):
                scales = torch.from_numpy(arrays[f"s{place:02}"])
                weights = torch.from_numpy(arrays[f"w{place:02}"]).float()
                state[f"{name}.weight"] = weights * scales.view(-1, *(1 for _ in weights.shape[1:]))
                state[f"{name}.bias"] = torch.from_numpy(arrays[f"b{place:02}"])
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise Failure(f"{path} does not hold the weights of {MobileNetV2.name}; fetch it again") from error
    return state


def _weighted(network: nn.Module) -> Iterator[str]:
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            yield name


mobilenet_v2 = Published(
    name=MobileNetV2.name, build=_keras, read=_read, file="mobilenet_v2_1.0_224_imagenet_int8w.npz"
)
