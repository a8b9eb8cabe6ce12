"""What a training tells: while it runs, and at its end."""

from dataclasses import dataclass, field
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a running training stands.

    Args:
        epoch: From 1.
        epochs: At most; an early stop ends sooner.
        step: Update of this epoch, from 1.
        steps: Updates an epoch.
        loss: Mean training loss of the latest batch.
        seconds: Since `fit` was called; a resumed run counts anew.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    seconds: float


@final
@dataclass(kw_only=True)
class History:
    """One entry an epoch. `dataclasses.asdict` gives its JSON, `History(**json)` takes it back.

    Args:
        train_loss: Mean per image, over the epoch's updates, of the loss before each.
        validation_loss: Mean per image after the epoch; empty where no images were held out.
        learning_rate: That of the epoch's last update.
        seconds: Wall clock of the epoch with its validation, without its checkpoint.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_loss)

    @property
    def best(self) -> int:
        """Epoch of the lowest validation loss, from 1, the first of equals; 0 where there is none."""
        losses = self.validation_loss
        return losses.index(min(losses)) + 1 if losses else 0
