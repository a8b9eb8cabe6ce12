"""Tensors and their JSON record in one file, written whole or not at all, and checked when read.

The file is a safetensors file. Its metadata hold the record and a digest, because safetensors itself
notices a file that was cut but not one of which a byte was changed.
"""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from purifold.errors import Failure, InputError

KEY = "purifold"
LENGTH = 8
"""Bytes at the head of a safetensors file that say how long its JSON header is."""


def write(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Puts tensors and record in `path`; on failure what was there before is still there."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise InputError(
                f"tensors must be tensors, got {type(tensor).__name__} for {name!r}; it cannot be saved"
            )
    own = {name: _owned(tensor) for name, tensor in tensors.items()}
    try:
        text = json.dumps(record, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the record of {path} must be JSON: {error}") from error
    # One key alone: safetensors writes several in an order that changes from run to run.
    metadata = {KEY: json.dumps({"record": text, "digest": _digest(own, text)})}
    write_bytes(path, save(own, metadata=metadata))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors, on the CPU, and record of a file that `write` made."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error
    try:
        tensors = load(content)
        length = int.from_bytes(content[:LENGTH], "little")
        metadata = json.loads(content[LENGTH : LENGTH + length]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path) from error
    if KEY not in metadata:
        raise InputError(f"{path} was not written by purifold; only files that it wrote are read")
    return tensors, _verified(path, tensors, metadata[KEY])


def write_bytes(path: Path, content: bytes) -> None:
    """Puts `content` in `path` under a temporary name first, so that no reader ever sees half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        hint = ", free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise Failure(
            f"cannot write {path}: {error.strerror}{hint}; what was there before is kept"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    _sync_folder(path.parent)


def check_writable(folder: Path) -> None:
    """Makes a folder, and refuses one that cannot be written, before anything is computed for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write to {folder} ({error.strerror}); choose another folder") from error


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system can; then the new name may be lost with the power
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _owned(tensor: Tensor) -> Tensor:
    """A copy, since safetensors takes no tensors that share memory and none with gaps."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _verified(path: Path, tensors: Mapping[str, Tensor], sealed: str) -> dict[str, Any]:
    try:
        content = json.loads(sealed)
        text, digest = content["record"], content["digest"]
        record = json.loads(text)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    if digest != _digest(tensors, text):
        raise _damaged(path)
    return record


def _damaged(path: Path) -> Failure:
    return Failure(f"{path} is damaged, it does not hold what was written; delete it and make it again")
