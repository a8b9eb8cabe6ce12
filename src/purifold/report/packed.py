"""Pictures in JSON: base64 of their bytes, so that each is one line."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np


def packed(pictures: np.ndarray) -> dict[str, Any]:
    """The bytes of a uint8 array, with its shape."""
    return {"shape": list(pictures.shape), "uint8": b64encode(pictures.tobytes()).decode()}


def unpacked(stored: Mapping[str, Any]) -> np.ndarray:
    """What `packed` took."""
    return np.frombuffer(b64decode(stored["uint8"]), dtype=np.uint8).reshape(stored["shape"])
