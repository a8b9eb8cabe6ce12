"""Squared Frobenius norm of an encoder's Jacobian, one an image: what contractive autoencoders penalise.

Rifai et al., 2011, "Contractive auto-encoders"; `ae-robustness` section 2. The estimate is Hutchinson's:
for v of independent signs, the mean of ||v J||^2 is trace(J J^T) = ||J||_F^2; signs have the least variance
among such v.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from purifold.types import Images, Latent, Scores


def encode_with_norm(
    encoder: Callable[[Images], Tensor], images: Images, units: int, projections: int
) -> tuple[Tensor, Scores]:
    """An encoder's outputs, and the squared norm of the Jacobian of the first `units` of them, in one pass.

    Needs no gradient of the caller's: under `torch.no_grad` the values are the same, without a graph.
    """
    wanted = torch.is_grad_enabled()
    with torch.enable_grad():
        inputs = images if images.requires_grad else images.detach().requires_grad_()
        outputs = encoder(inputs)
        norm = squared_norm(outputs[:, :units], inputs, projections, differentiable=wanted)
    return (outputs, norm) if wanted else (outputs.detach(), norm.detach())


def squared_norm(codes: Latent, images: Images, projections: int, *, differentiable: bool) -> Scores:
    """Squared Frobenius norm of d code / d image: unbiased, or exact where that costs no more.

    Args:
        codes: Computed from `images` with autograd on, each row from its own image alone.
        images: They require gradients.
        projections: Vector-Jacobian products to average over; as many as there are latent units give the
            exact norm, unit by unit.
        differentiable: Whether the norm is to be differentiated in turn, as training does.
    """
    if projections >= codes.shape[1]:
        units = torch.eye(codes.shape[1], device=codes.device, dtype=codes.dtype)
        return torch.stack([_pulled_back(codes, images, unit, differentiable) for unit in units]).sum(dim=0)
    draws = [
        _pulled_back(codes, images, torch.empty_like(codes).bernoulli_(0.5).mul_(2).sub_(1), differentiable)
        for _ in range(projections)
    ]
    return torch.stack(draws).mean(dim=0)


def _pulled_back(codes: Latent, images: Images, directions: Tensor, differentiable: bool) -> Scores:
    """Squared length of `directions` (one, or one an image) times the Jacobian of each image."""
    (gradient,) = torch.autograd.grad(
        codes, images, directions.expand_as(codes), retain_graph=True, create_graph=differentiable
    )
    return gradient.flatten(1).square().sum(dim=1)
