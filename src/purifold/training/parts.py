"""The gradient of a batch in as few parts as fit into memory.

The mean loss of a batch is the sum over its parts of their mean losses, each times its share of the images:
so is its gradient. Noise is drawn for a part at a time, so it is other noise, as likely as the whole batch's.
Batch normalisation takes its statistics from a part: it then learns something else than from the whole batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from purifold.batches import halved
from purifold.randomness import generators, rewind


@final
@dataclass(kw_only=True)
class Parts:
    """How the batches of a training are cut.

    Args:
        model: Without gradients when a batch begins; its buffers change in a forward pass.
        device: Of the model.
        size: Images of a part, at most; halved where that is too many, from then on.
    """

    model: nn.Module
    device: torch.device
    size: int

    def descend(self, rows: Tensor, backward: Callable[[Tensor, float], Tensor]) -> Tensor:
        """Leaves a batch's gradient on the weights, and gives its mean loss.

        A part, and a new try, finds the buffers as they were: what a model counts counts once an update.

        Args:
            rows: Of the batch.
            backward: Of the rows of a part and its share of the batch, adds the gradient of their mean loss
                times the share, which it gives.

        Raises:
            Failure: A single image does not fit.
        """
        drawn, kept = generators(self.device), [buffer.clone() for buffer in self.model.buffers()]
        while True:
            try:
                return self._descend(rows, backward, kept)
            except torch.OutOfMemoryError as error:
                self.size = halved(min(self.size, len(rows)), error)
            self.model.zero_grad()
            self._put_back(kept)
            rewind(self.device, drawn)

    def _descend(
        self, rows: Tensor, backward: Callable[[Tensor, float], Tensor], kept: list[Tensor]
    ) -> Tensor:
        first, *others = rows.split(self.size)
        loss = backward(first, len(first) / len(rows))
        for part in others:
            self._put_back(kept)
            loss = loss + backward(part, len(part) / len(rows))
        return loss

    def _put_back(self, kept: list[Tensor]) -> None:
        for buffer, before in zip(self.model.buffers(), kept, strict=True):
            buffer.copy_(before)
