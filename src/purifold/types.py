"""Tensor types. Images are floats in [0, 1]; scores and masks have one entry an image."""

from collections.abc import Callable
from typing import TypeAlias

from jaxtyping import Bool, Float, Int
from torch import Tensor

Images: TypeAlias = Float[Tensor, "batch channel height width"]
Labels: TypeAlias = Int[Tensor, "batch"]
Logits: TypeAlias = Float[Tensor, "batch classes"]
Latent: TypeAlias = Float[Tensor, "batch latent"]
Scores: TypeAlias = Float[Tensor, "batch"]
Mask: TypeAlias = Bool[Tensor, "batch"]
Model: TypeAlias = Callable[[Tensor], Tensor]
"""Images to logits. A plain callable: attacks ask for nothing else."""
