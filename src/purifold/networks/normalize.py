"""Per-channel normalisation, the first layer of a classifier that wants it."""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from purifold.errors import InputError
from purifold.types import Images


@final
class Normalize(nn.Module):
    """(images - mean) / std, a mean and a standard deviation a channel; both are saved with the weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != len(std):
            raise InputError(
                f"mean and std must have one entry a channel each, got {len(mean)} and {len(std)}"
            )
        if not all(deviation > 0 for deviation in std):
            raise InputError(
                f"std must be above 0 in every channel, got {tuple(std)}; leave constant channels at 1"
            )
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32)[:, None, None])
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32)[:, None, None])

    def forward(self, images: Images) -> Images:
        """Normalised images, no longer in [0, 1]."""
        return (images - self.mean) / self.std
