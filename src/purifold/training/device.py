"""Where a training runs, and what it leaves behind there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from purifold.bfloat16 import has_bfloat16
from purifold.errors import InputError
from purifold.training.config import Precision

if TYPE_CHECKING:
    import lightning_fabric
    from lightning_fabric.loggers.logger import Logger

Accelerator = Literal["auto", "cpu", "cuda", "mps"]
_log = logging.getLogger(__name__)


def open_fabric(
    accelerator: Accelerator,
    devices: int,
    precision: Precision,
    logger: "Logger | None" = None,
) -> "lightning_fabric.Fabric":
    """Fabric on `devices` devices; several get a process each, with averaged gradients.

    Where bfloat16 would only be imitated, float32 takes its place.
    """
    from lightning_fabric import Fabric

    present = {
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
        "cpu": devices,
    }
    chosen = next(name for name, count in present.items() if count) if accelerator == "auto" else accelerator
    if not present[chosen]:
        raise InputError(
            f"accelerator must be present, got {chosen}, which torch does not find; use auto or cpu"
        )
    if devices > present[chosen]:
        raise InputError(f"devices must be at most {present[chosen]}, which {chosen} has here, got {devices}")
    if precision == "16-mixed" and chosen != "cuda":
        raise InputError(f"precision 16-mixed needs an NVIDIA GPU, got {chosen}; use bf16-mixed or 32-true")
    if precision == "bf16-mixed" and not has_bfloat16(chosen):
        _log.warning("%s has no bfloat16 arithmetic here; trains in float32", chosen)
        precision = "32-true"
    strategy = "auto" if devices == 1 else "ddp_spawn"
    return Fabric(accelerator=chosen, devices=devices, strategy=strategy, precision=precision, loggers=logger)


@contextmanager
def put_back(model: nn.Module) -> Iterator[None]:
    """At the end: model evaluating on its device, without gradients; current GPU and logging as found."""
    device = next(model.parameters()).device
    gpu = torch.cuda.current_device() if torch.cuda.is_available() else None
    import_module("lightning_fabric")  # sets its own level when it is imported first
    logger = logging.getLogger("lightning_fabric")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        model.to(device).eval().zero_grad()
        logger.setLevel(level)
        if gpu is not None:
            torch.cuda.set_device(gpu)
