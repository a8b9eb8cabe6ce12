"""Rejecting images whose class changes when an autoencoder has cleaned them.

Meng and Chen, 2017, "MagNet", arXiv:1705.09064, section 4.2.2.
"""

import math
from typing import ClassVar, final

import torch
from torch import nn

from purifold.autoencoders.base import Reconstructs
from purifold.autoencoders.magnet import MagnetSpec
from purifold.defenses.base import Detector
from purifold.errors import InputError
from purifold.types import Images, Scores


@final
class Divergence(Detector):
    """Jensen-Shannon divergence, in nats, between the classifier's answers before and after reconstruction.

    Args:
        classifier: The one that is protected.
        autoencoder: Trained on clean images.
        temperature: Divides the logits; high ones keep a confident softmax from saturating. MagNet has a
            detector of 10 and one of 40.
    """

    name: ClassVar[str] = "divergence"

    def __init__(self, classifier: nn.Module, autoencoder: Reconstructs, *, temperature: float) -> None:
        super().__init__()
        if not 0 < temperature < math.inf:
            raise InputError(f"temperature must be above 0 and finite, got {temperature}")
        self.classifier = classifier
        self.autoencoder = autoencoder
        self.temperature = temperature

    def forward(self, images: Images) -> Scores:
        """The divergence of each image, 0 to log 2."""
        before, after = (
            (self.classifier(seen) / self.temperature).log_softmax(dim=1)
            for seen in (images, self.autoencoder.reconstruct(images))
        )
        middle = torch.logaddexp(before, after) - math.log(2)
        apart = sum(each.exp() * (each - middle) for each in (before, after))
        return torch.as_tensor(apart).sum(dim=1) / 2

    @classmethod
    def example(cls, channels: int, size: int) -> "Divergence":
        """An untrained autoencoder, and a linear classifier."""
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(channels * size**2, 3))
        return cls(classifier, MagnetSpec().build((channels, size, size)), temperature=1.0)

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"temperature={self.temperature:g}"
