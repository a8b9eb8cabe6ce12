"""Per-image losses of logits. None is reduced over the batch: the caller decides."""

from collections.abc import Callable
from typing import TypeAlias

import torch
import torch.nn.functional as F

from purifold.types import Labels, Logits, Scores

Loss: TypeAlias = Callable[[Logits, Labels], Scores]
"""Larger means further from the label."""


def cross_entropy(logits: Logits, labels: Labels) -> Scores:
    """Cross-entropy in nats."""
    return F.cross_entropy(logits, labels, reduction="none")


def margin(logits: Logits, labels: Labels) -> Scores:
    """Largest other logit minus the label's: above 0 when misclassified.

    Carlini and Wagner, 2017, arXiv:1608.04644, section V.A, f6 with the sign turned. A shift of all
    logits changes nothing, so log-probabilities serve as well as logits.
    """
    label = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.max(dim=1).values - label  # among equals one leads: amax would pull at all of them
