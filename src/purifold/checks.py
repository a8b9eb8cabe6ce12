"""Checks of what a caller passes. Each error names the argument, what was wanted and what came."""

import math

import torch
from torch import Tensor, nn

from purifold.errors import InputError


def check_images(images: Tensor, name: str = "images", channels: int | None = None) -> None:
    """Refuses anything but a float batch (n, channel, height, width) in [0, 1] without NaN."""
    if not isinstance(images, Tensor):
        raise InputError(f"{name} must be a torch tensor, got {type(images).__name__}")
    if images.ndim != 4:  # noqa: PLR2004
        raise InputError(f"{name} must be (batch, channel, height, width), got shape {tuple(images.shape)}")
    if not images.is_floating_point():
        raise InputError(f"{name} must be floats in [0, 1], got {images.dtype}; divide bytes by 255 first")
    if channels is not None and images.shape[1] != channels:
        raise InputError(f"{name} must have {channels} channel(s), got {images.shape[1]}")
    if images.numel() == 0:
        return
    low, high = (bound.item() for bound in torch.aminmax(images))
    if math.isnan(low) or math.isnan(high):
        raise InputError(f"{name} must not hold NaN; the model or the loader that made them diverged")
    if low < 0 or high > 1:
        hint = "is the scale 0..255?" if high > 2 else "normalise inside the classifier"  # noqa: PLR2004
        raise InputError(f"{name} must lie in [0, 1], got [{low:.4g}, {high:.4g}]; {hint}")


def check_labels(labels: Tensor, count: int, classes: int | None = None, name: str = "labels") -> None:
    """Refuses labels that are not `count` integers in [0, classes)."""
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.dtype == torch.bool:
        got = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise InputError(f"{name} must be a tensor of integers, got {got}")
    if labels.shape != (count,):
        raise InputError(f"{name} must have shape ({count},), one an image, got {tuple(labels.shape)}")
    if count == 0:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes is not None and high >= classes):
        wanted = f"[0, {classes})" if classes is not None else "0 or above"
        raise InputError(f"{name} must lie in {wanted}, got [{low}, {high}]; labels count from 0")


def check_evaluating(module: nn.Module, name: str) -> None:
    """Refuses a module of which any part is in training mode."""
    if any(part.training for part in module.modules()):
        raise InputError(f"{name} is in training mode; call {name}.eval() first")


def check_at_least(value: float | int, least: float | int, name: str) -> None:
    """Refuses a number below `least`, and NaN."""
    if not value >= least:
        raise InputError(f"{name} must be {least:g} or above, got {value}")
