"""What a training minimises, and by which rule."""

from collections.abc import Callable
from typing import TypeAlias, final

import torch
from torch import nn

from purifold.errors import InputError
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores

TrainingLoss: TypeAlias = Callable[[nn.Module, Images, Labels], Scores]
"""Loss of each image; called with the model in training mode, for the validation in evaluation mode."""


@final
class Objective(nn.Module):
    """The loss as a forward pass, which Fabric wraps with the precision and the averaging of gradients."""

    def __init__(self, model: nn.Module, loss: TrainingLoss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, images: Images, labels: Labels) -> Scores:
        """Loss of each image."""
        scores = self.loss(self.model, images, labels)
        if scores.shape != labels.shape:
            raise InputError(
                f"loss must return one value an image, shape {tuple(labels.shape)}, "
                f"got {tuple(scores.shape)}; leave the mean over the batch to fit"
            )
        return scores


def optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """The configured optimizer of all parameters; it passes over those without gradient.

    Adam is fused: unfused it passes over memory ten times an update. It then reads weight, gradient and
    moments in the order of memory: autograd gives gradients the layout of their weight, `State` the moments.
    """
    rate, decay, momentum = config.learning_rate, config.weight_decay, config.momentum
    if config.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, weight_decay=decay)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.optimizer]
    return kind(model.parameters(), lr=rate, betas=(momentum, 0.999), weight_decay=decay, fused=True)
