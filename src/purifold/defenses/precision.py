"""In what precision a purifier searches, where it searches."""

import copy
from typing import Literal, TypeAlias, TypeVar, get_args

import torch
from torch import nn

from purifold.bfloat16 import has_bfloat16
from purifold.errors import unknown

Precision: TypeAlias = Literal["float32", "bfloat16"]
Network = TypeVar("Network", bound=nn.Module)


def in_precision(network: Network, precision: str) -> Network:
    """The network itself, or a copy in bfloat16, where this machine has that; refuses any other precision."""
    if precision not in get_args(Precision):
        raise unknown("precision", precision, get_args(Precision))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "float32" or not has_bfloat16(device):
        return network
    return copy.deepcopy(network).to(torch.bfloat16)
