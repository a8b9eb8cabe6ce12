"""How far samples lie from real images in the features of a classifier.

Heusel et al., 2017, arXiv:1706.08500, section 4 ("FID"), which takes Inception's features of natural images;
here they are those of a classifier of the same data, so that distances compare with nothing but each other.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from purifold.batches import at_once, in_batches
from purifold.checks import check_evaluating
from purifold.errors import InputError
from purifold.types import Images


@torch.no_grad()
def features(classifier: nn.Module, images: Images) -> Float[Tensor, "batch features"]:
    """What the classifier's last dense layer reads."""
    check_evaluating(classifier, "classifier")
    dense = [layer for layer in classifier.modules() if isinstance(layer, nn.Linear)]
    if not dense:
        raise InputError("classifier must have a dense layer whose inputs are features, got none")
    last: list[Tensor] = []

    def note(layer: nn.Module, given: tuple[Any, ...]) -> None:
        last[:] = given[:1]

    def read(batch: Images) -> Float[Tensor, "batch features"]:
        classifier(batch)
        return last[0]

    hook = dense[-1].register_forward_pre_hook(note)
    try:
        return in_batches(read, images, at_once(images))
    finally:
        hook.remove()


def frechet_distance(
    first: Float[Tensor, "first features"], second: Float[Tensor, "second features"]
) -> float:
    """Squared Frechet distance of the Gaussians fitted to two sets; 0 for the same set."""
    means, covariances = zip(*(_fitted(found) for found in (first, second)), strict=True)
    apart = (means[0] - means[1]).square().sum()
    root = _root(covariances[0])
    shared = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp_min(0).sqrt().sum()
    trace = covariances[0].trace() + covariances[1].trace()
    return float(apart + trace - 2 * shared)


def _fitted(found: Tensor) -> tuple[Tensor, Tensor]:
    wide = found.double().cpu()
    return wide.mean(dim=0), wide.T.cov()


def _root(covariance: Tensor) -> Tensor:
    """The symmetric square root."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
