"""Decoded images, kept on this machine: a study that has nothing left to make must not decode them all again.

They lie in the user's cache folder, or where `PURIFOLD_CACHE` says; it can be deleted at any time.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path
from torch import Tensor

from purifold import storage
from purifold.errors import Failure, InputError

VERSION = "1"
"""Counts up when the same image files come to mean other pixels."""


def digest(contents: Iterable[bytes]) -> str:
    """SHA-256 of image files in order, as 32 hex digits."""
    found = hashlib.sha256(VERSION.encode())
    for content in contents:
        found.update(len(content).to_bytes(8, "little"))
        found.update(content)
    return found.hexdigest()[:32]


def kept(key: str, make: Callable[[], Tensor]) -> Tensor:
    """The pixels kept under `key`, or those that `make` returns, which then are.

    What is damaged is made again; a cache that cannot be written is done without.
    """
    path = _folder() / f"{key}.safetensors"
    try:
        return storage.read(path)[0]["pixels"]
    except (InputError, Failure, KeyError):
        pixels = make()
    with suppress(Failure):
        storage.write(path, {"pixels": pixels}, {})
    return pixels


def _folder() -> Path:
    named = os.environ.get("PURIFOLD_CACHE")
    return Path(named) if named else user_cache_path("purifold") / "images"
