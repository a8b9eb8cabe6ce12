"""Inception V3, the network that `patch-vae` attacks: Szegedy et al., 2016, arXiv:1512.00567. It needs timm.

Differs: timm's weights are those of TensorFlow for ImageNet's 1,000 classes; the paper's count 1,001.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from purifold.errors import InputError
from purifold.networks.base import Shape, wrong_size
from purifold.networks.normalize import Normalize
from purifold.networks.published import Published
from purifold.networks.resize import Resize

ORIGIN = "inception_v3.tf_in1k"
"""As timm names architecture and weights."""
SIDE, CLASSES = 299, 1000
CENTRE = (0.5, 0.5, 0.5)


def _build(shape: Shape, classes: int) -> nn.Module:
    if (shape[0], classes) != (len(CENTRE), CLASSES):
        raise wrong_size("inception-v3", shape, f"3 channels of {CLASSES} classes (not {classes})")
    return nn.Sequential(Normalize(CENTRE, CENTRE), Resize(SIDE), _timm().create_model(ORIGIN))


def _read(network: nn.Module, path: Path | None) -> Mapping[str, Tensor]:
    weights = _timm().create_model(ORIGIN, pretrained=True).state_dict()
    return dict(network.state_dict()) | {f"2.{name}": tensor for name, tensor in weights.items()}


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise InputError("inception-v3 needs the package timm: pip install timm") from error
    return timm


inception_v3 = Published(name="inception-v3", build=_build, read=_read, file=None, origin=ORIGIN)
