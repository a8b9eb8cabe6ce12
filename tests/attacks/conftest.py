"""Models of which the smallest adversarial perturbation is known in closed form."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

DUAL = {"linf": 1.0, "l2": 2.0}


@dataclass
class Problem:
    """A model, images it classifies right, and the distance from each of them to what an attacker wants."""

    model: nn.Module
    images: Tensor
    labels: Tensor
    targets: Tensor
    distance: float


def linear(weight: Tensor, bias: Tensor) -> nn.Module:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
    return nn.Sequential(nn.Flatten(), layer).eval()


@pytest.fixture
def two_class() -> Callable[..., Problem]:
    """Two classes, images inside the pixel range, each exactly as far from the boundary as the others."""

    def build(norm: str, count: int = 6, side: int = 4, dtype: torch.dtype = torch.float32) -> Problem:
        generator = torch.Generator().manual_seed(3)
        normal = torch.randn(side * side, generator=generator, dtype=torch.float64)
        images = 0.4 + 0.2 * torch.rand(count, 1, side, side, generator=generator, dtype=torch.float64)
        distance = {"linf": 0.1, "l2": 0.3}[norm]
        # along the normal, so that normal . image = -distance * (dual norm of the normal): the closed form
        lack = images.flatten(1) @ normal + distance * torch.linalg.vector_norm(normal, ord=DUAL[norm])
        images = images - (lack[:, None] * normal / normal.square().sum()).view_as(images)
        model = linear(torch.stack([-normal, normal]) / 2 * 20, torch.zeros(2, dtype=torch.float64))
        labels = torch.zeros(count, dtype=torch.long)
        return Problem(model.to(dtype), images.to(dtype), labels, labels + 1, distance)

    return build


@pytest.fixture
def many_class() -> Callable[..., Problem]:
    """Four classes, each with its own quarter of the image; the label leads, the others are equal."""

    def build(norm: str) -> Problem:
        weight = torch.block_diag(*[torch.tensor([[3.0, -2.0, 2.0, 1.0]]) for _ in range(4)])
        images = torch.full((12, 1, 4, 4), 0.5)
        labels = torch.arange(12) % 4
        targets = (labels + 1 + torch.arange(12) // 4) % 4
        lead = 0.8 * 3
        for image, label in zip(images, labels, strict=True):
            image.view(4, 4)[label] += lead * weight[0, :4] / weight[0, :4].square().sum()
        across = torch.linalg.vector_norm(weight[1] - weight[0], ord=DUAL[norm])
        return Problem(linear(weight, torch.zeros(4)), images, labels, targets, float(lead / across))

    return build


class RowWise(nn.Module):
    """Three-class MLP of sums over the last axis: an image's logits do not depend on its batch in any bit."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.first = nn.Parameter(torch.randn(24, 32, generator=generator, dtype=torch.float64))
        self.second = nn.Parameter(torch.randn(3, 24, generator=generator, dtype=torch.float64))

    def forward(self, images: Tensor) -> Tensor:
        hidden = torch.tanh((images.flatten(1)[:, None] * self.first).sum(dim=-1))
        return (hidden[:, None] * self.second).sum(dim=-1)


@pytest.fixture
def row_wise() -> nn.Module:
    return RowWise().eval()


@pytest.fixture
def extreme_images() -> Tensor:
    """64 images of 2 x 4 x 4 doubles, a third of the pixels exactly 0 and a third exactly 1."""
    generator = torch.Generator().manual_seed(6)
    return (torch.rand(64, 2, 4, 4, generator=generator, dtype=torch.float64) * 3 - 1).clamp(0, 1)
