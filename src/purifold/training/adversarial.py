"""Adversarial training: a classifier is fitted to images that are attacked while it learns.

Goodfellow et al., 2015, arXiv:1412.6572, section 6 (FGSM); Wong et al., 2020, arXiv:2001.03994 (from a random
point); Madry et al., 2018, arXiv:1706.06083 (PGD).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, final, get_args

import torch
from torch import nn

from purifold.errors import InputError, unknown
from purifold.losses import cross_entropy
from purifold.types import Images, Labels, Scores

Method: TypeAlias = Literal["fgsm", "pgd"]
Corrupt: TypeAlias = Callable[[Images, Labels], Images]
"""Attacked images, of clean ones and their classes."""


@final
@dataclass(frozen=True, kw_only=True)
class AdversarialSpec:
    """Description of a classifier that is trained on attacked images, but for its shape and classes.

    Args:
        classifier: Its network, the one protected unless an option says another.
        epsilon: L-infinity budget of the attacks in training.
        method: "fgsm", one step of 1.25 epsilon from a random point; or "pgd", `steps` from there.
        steps: Of "pgd".
        share: Of the loss on attacked images; the rest is that on clean ones. Goodfellow et al. take 1/2,
            Madry et al. 1.
    """

    classifier: str
    epsilon: float
    method: Method = "fgsm"
    steps: int = 7
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf:
            raise InputError(f"epsilon must be above 0 and finite, got {self.epsilon}")
        if self.method not in get_args(Method):
            raise unknown("method", self.method, get_args(Method))
        if self.steps < 1:
            raise InputError(f"steps must be 1 or above, got {self.steps}")
        if not 0 < self.share <= 1:
            raise InputError(f"share must lie in (0, 1], got {self.share}")

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"{self.classifier} against {self.method} at linf {self.epsilon:.3g}"


def adversarial_loss(
    classifier: nn.Module, images: Images, labels: Labels, corrupt: Corrupt, share: float
) -> Scores:
    """The loss of each image: its share on the attacked image, the rest on the clean one.

    The attack sees the classifier as it will be deployed, without dropout and with the batch statistics of
    evaluation; what is fitted is in whatever mode the classifier comes in.

    Args:
        classifier: Images to logits.
        images: In [0, 1].
        labels: Their classes.
        corrupt: Attacks `classifier` as it is now.
        share: Of the attacked images, in (0, 1].
    """
    training = classifier.training
    classifier.eval()
    attacked = corrupt(images, labels)
    classifier.train(training)
    if share == 1:
        return cross_entropy(classifier(attacked), labels)
    clean, hostile = cross_entropy(classifier(torch.cat([images, attacked])), labels.repeat(2)).chunk(2)
    return (1 - share) * clean + share * hostile
