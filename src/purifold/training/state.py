"""All that changes while a model is trained, which a checkpoint holds for the run to go on as if unbroken.

Random numbers are not among it: `fit` draws each epoch's from the seed and the number of the epoch.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from purifold import storage
from purifold.errors import InputError
from purifold.training.checkpoint import check_fit
from purifold.training.progress import History

CHECKPOINT = "checkpoint.safetensors"
VANISHED = 1e-20
"""What is smaller is 0, and has the rest of an epoch to shrink before it is denormal, below 1e-38."""
SHRINKING = ("exp_avg", "momentum_buffer")
"""What optimizers call the means of gradients, which shrink as their weights do."""


@final
@dataclass(kw_only=True)
class State:
    """A model in training.

    Args:
        model: Trained in place.
        optimizer: The bare one, not Fabric's wrapper.
        scaler: What keeps the loss scale of half precision; Fabric's precision plugin.
        history: Of the epochs so far.
        best: State dict after the epoch of the lowest validation loss, where one is kept.
    """

    model: nn.Module
    optimizer: Optimizer
    scaler: Any
    history: History = field(default_factory=History)
    best: dict[str, Tensor] = field(default_factory=dict)

    def keep_best(self) -> None:
        """Copies the weights if the latest epoch is the best so far."""
        if self.history.best == len(self.history):
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    @torch.no_grad()
    def drop_vanished(self) -> None:
        """Sets weights and mean gradients to 0 that have all but decayed.

        A CPU computes many times more slowly with denormal numbers, and decayed weights would stay there.
        """
        for weight, moments in self.optimizer.state.items():
            shrinking = (moments[name] for name in SHRINKING if moments.get(name) is not None)
            for tensor in (weight, *shrinking):
                tensor.masked_fill_(tensor.abs() < VANISHED, 0)

    def save(self, folder: Path, run: Mapping[str, Any]) -> None:
        """Replaces the checkpoint in `folder`; `run` says which run this is."""
        groups = {"model": self.model.state_dict(), "best": self.best, **self._moments()}
        tensors = {
            f"{group}/{name}": tensor for group, named in groups.items() for name, tensor in named.items()
        }
        record = {"run": run, "history": asdict(self.history), "scaler": self.scaler.state_dict()}
        storage.write(folder / CHECKPOINT, tensors, record)

    def resume(self, folder: Path, run: Mapping[str, Any]) -> None:
        """Goes on from the checkpoint in `folder`, if there is one; refuses one of another run."""
        path = folder / CHECKPOINT
        if not path.exists():
            return
        tensors, record = storage.read(path)
        _check_run(record.get("run", {}), run, path)
        weights = _group(tensors, "model")
        check_fit(self.model, weights, path)
        self.model.load_state_dict(weights)
        self._load_moments(tensors)
        self.scaler.load_state_dict(record["scaler"])
        self.history = History(**record["history"])
        self.best = _group(tensors, "best")

    def _moments(self) -> dict[str, dict[str, Tensor]]:
        """The optimizer's tensors, by the place of their parameter."""
        kept = self.optimizer.state_dict()["state"]
        return {
            f"optimizer/{place}": {name: value for name, value in moments.items() if value is not None}
            for place, moments in kept.items()
        }

    def _load_moments(self, tensors: Mapping[str, Tensor]) -> None:
        """Restores them in the layout of their weights: fused Adam reads both in the order of memory."""
        kept: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _group(tensors, "optimizer").items():
            place, _, name = key.partition("/")
            kept.setdefault(int(place), {})[name] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": kept})
        for weight, moments in self.optimizer.state.items():
            for name, tensor in moments.items():
                if tensor.shape == weight.shape:
                    moments[name] = torch.empty_like(weight).copy_(tensor)


def _group(tensors: Mapping[str, Tensor], group: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{group}/"): value for key, value in tensors.items() if key.startswith(f"{group}/")
    }


def _check_run(found: Mapping[str, Any], run: Mapping[str, Any], path: Path) -> None:
    for name in run:
        if found.get(name) != run[name]:
            raise InputError(
                f"{path} is the checkpoint of another run: {name} was {found.get(name)!r}, is {run[name]!r}; "
                "give this run its own folder, or delete that file to train anew"
            )
