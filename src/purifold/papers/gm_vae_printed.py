"""What `gm-vae` prints, out of its file of numbers."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources as package
from typing import Any


def shares(*path: str) -> Mapping[str, float]:
    """Shares that the paper prints at this place of its file; none where it prints nothing."""
    found: Any = text()
    for name in path:
        found = found.get(name, {})
    return {name: percent / 100 for name, percent in found.items()}


@cache
def text() -> Mapping[str, Any]:
    """All that is printed, in percent."""
    return tomllib.loads(package.files("purifold.papers").joinpath("gm_vae.toml").read_text())
