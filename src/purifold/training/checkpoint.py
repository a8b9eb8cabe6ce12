"""Trained weights and how they were made."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from purifold import storage
from purifold.errors import InputError

WEIGHTS = "weights.safetensors"


def save_weights(module: nn.Module, path: Path, how: Mapping[str, Any]) -> Path:
    """Writes the weights, and beside them the JSON that says how they were made, for people to read.

    `load_weights` reads the copy of that JSON inside the weights file: the two cannot be mixed up.

    Args:
        module: All parameters and buffers of its `state_dict` are kept.
        path: A file that ends in .safetensors, or the folder to put `weights.safetensors` in.
        how: Configuration, seed, data hash: what JSON can hold. The versions of torch and purifold are added.

    Returns:
        The weights file.
    """
    path = _file(path)
    made = {**how, "torch": str(torch.__version__), "purifold": version("purifold")}
    storage.write(path, module.state_dict(), made)
    storage.write_bytes(path.with_suffix(".json"), json.dumps(made, indent=2).encode() + b"\n")
    return path


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """State dict, on the CPU, and how it was made, of a file (or its folder) from `save_weights`."""
    return storage.read(_file(path))


def load_into(module: nn.Module, path: Path) -> dict[str, Any]:
    """Puts the weights of `path` in `module` if they fit, tensor by tensor; returns how they were made."""
    tensors, how = load_weights(path)
    check_fit(module, tensors, _file(path))
    module.load_state_dict(tensors)
    return how


def check_fit(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuses tensors of other names, shapes or types than the module's, naming the first."""
    wanted = module.state_dict()
    for name in [*wanted, *tensors]:
        here, there = _kind(wanted.get(name)), _kind(tensors.get(name))
        if here != there:
            raise InputError(
                f"the weights in {path} do not fit the module: {name!r} is {there} in the file and {here} "
                "in the module; build the module with the arguments that it was trained with"
            )


def _file(path: Path) -> Path:
    return path if path.suffix == ".safetensors" else path / WEIGHTS


def _kind(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
