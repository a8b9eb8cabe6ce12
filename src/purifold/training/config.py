"""How a model is trained: all that changes the weights beside the model, the data, the loss and the seed."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from purifold.errors import InputError, unknown
from purifold.options import later

Optimizer = Literal["sgd", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "one-cycle"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
Augmentation = Literal["none", "flip-crop"]

CHOICES = {"optimizer": Optimizer, "schedule": Schedule, "precision": Precision, "augment": Augmentation}


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of `fit`. `dataclasses.asdict` gives the JSON that is hashed and kept beside the weights.

    Args:
        epochs: Passes over the training images.
        batch_size: Images an update, over all devices together.
        optimizer: "adamw" decouples the weight decay from the gradient, "adam" and "sgd" add it there.
        learning_rate: Constant, or the highest one of the schedule.
        momentum: Share of the old gradient that is kept; for "adam" and "adamw" their beta 1.
        weight_decay: 0 is none.
        schedule: Learning rate over the updates of all epochs; see `schedule.rate`.
        patience: Stop after this many epochs without a lower validation loss, and keep the weights of the
            epoch with the lowest one; None trains all epochs and keeps the last weights.
        precision: As in Lightning Fabric; "16-mixed" needs a GPU, and "bf16-mixed" is float32 on processors
            that have no bfloat16.
        augment: "flip-crop" mirrors half of the images and shifts each by up to 4 pixels.
        crop: Side of the square at a random place that is cut out of each image, each time anew; None trains
            on whole images.
        visits: Times that an epoch shows each image; more where it shows another part each time.
    """

    epochs: int
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    patience: int | None = None
    precision: Precision = "32-true"
    augment: Augmentation = "none"
    crop: int | None = later(None)
    visits: int = later(1)

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise unknown(name, str(getattr(self, name)), get_args(choices))
        for name in ("epochs", "batch_size", "patience", "crop", "visits"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise InputError(f"{name} must be 1 or above, got {count}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate must be above 0 and finite, got {self.learning_rate}")
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum must lie in [0, 1), got {self.momentum}")
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"weight_decay must be 0 or above and finite, got {self.weight_decay}")
        self._check_crop()

    def _check_crop(self) -> None:
        if self.crop is not None and self.augment != "none":
            raise InputError(f"crop and augment {self.augment!r} both shift images; leave one of them out")
