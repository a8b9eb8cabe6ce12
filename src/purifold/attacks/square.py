"""Square attack: random search over square patches of the perturbation, by the model's scores alone.

Andriushchenko et al., 2020, arXiv:1912.00049, algorithms 1 (search), 2 (L-infinity) and 3 (L2).
"""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from purifold.attacks.base import Attack, Goal
from purifold.attacks.gradient import reach, rounding, unit
from purifold.checks import check_at_least
from purifold.errors import InputError
from purifold.randomness import ImageNoise
from purifold.threat import Norm, ThreatModel
from purifold.types import Images, Model, Scores

HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Of 10,000 queries, those after which the squares' area is halved; scaled to other budgets.

Those of the authors' code, https://github.com/max-andr/square-attack; section 3.2 of the paper lacks 500,
which costs queries.
"""
TILES = 5
"""Tiles along each side of the first L2 perturbation (section 3.4)."""


@final
@dataclass(frozen=True, kw_only=True)
class Square(Attack):
    """Square attack; asks for logits only, so it is the check that gradients are not merely hidden.

    A stochastic model is taken at its word: each answer is compared as it came, and one lucky draw can stop
    the search. Wrap the model in `Averaged` to search on its mean logits.

    Differs: the targeted form raises the target's margin (the paper: its cross-entropy), so that what is kept
    and what counts as success are the same; the first L2 tiles cover the image to its border.

    Args:
        queries: Images the model is asked about for each image at most, the clean one and the first
            perturbation included.
        first_share: Share of the pixels in the first squares: p in the paper, 0.8 as in AutoAttack.
        confidence: The search ends for an image when its margin exceeds this; inf spends all queries.
    """

    name: ClassVar[str] = "square"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False

    queries: int = 5000
    first_share: float = 0.8
    confidence: float = 0.0

    def __post_init__(self) -> None:
        check_at_least(self.queries, 2, "queries")
        check_at_least(self.confidence, 0, "confidence")
        if not 0 < self.first_share <= 1:
            raise InputError(f"first_share must be a share of the pixels in (0, 1], got {self.first_share}")

    @torch.no_grad()
    def perturb(
        self, model: Model, images: Images, goal: Goal, threat: ThreatModel, noise: ImageNoise
    ) -> Images:
        """The images of the largest margin found, the clean ones included."""
        found, margins = images.clone(), _margin(model, images, goal)
        rows = (~(margins > self.confidence)).nonzero().squeeze(1)
        clean, sought, noise = images[rows], goal.select(rows), noise.select(rows)
        current = candidate = _first(clean, threat, noise)
        highest = torch.full_like(margins[rows], -torch.inf)
        for query in range(1, self.queries):
            if not len(rows):
                break
            if query > 1:
                candidate = _move(current, clean, threat, noise, self._side(query, images))
            asked = _margin(model, candidate, sought)
            better = asked > highest
            current = torch.where(better[:, None, None, None], candidate, current)
            highest = torch.where(better, asked, highest)
            known = highest > margins[rows]
            found[rows[known]], margins[rows[known]] = current[known], highest[known]
            going = ~(highest > self.confidence)
            if not going.all():
                rows, clean, current, highest = rows[going], clean[going], current[going], highest[going]
                sought, noise = sought.select(going), noise.select(going)
        return found

    def _side(self, query: int, images: Images) -> int:
        """Side of the squares at this query, in pixels."""
        height, width = images.shape[2:]
        halved = sum(query * 10_000 > start * self.queries for start in HALVINGS)
        side = round(math.sqrt(self.first_share / 2**halved * height * width))
        return min(max(side, 1), height, width)


def _margin(model: Model, images: Images, goal: Goal) -> Scores:
    """One query: the margin, less what rounding may undo when the images are judged in another batch."""
    logits = model(images)
    return goal.margin(logits) - rounding(logits)


def _first(images: Images, threat: ThreatModel, noise: ImageNoise) -> Images:
    """Where the search starts: stripes a pixel wide (L-infinity), tiles (L2); signs at random."""
    channels, height, width = images.shape[1:]
    if threat.norm == "linf":
        perturbation = _signs(noise, channels, 1, width).to(images.dtype)
    else:
        side = max(1, min(height, width) // TILES)
        rows, columns = (torch.arange(size, device=images.device) for size in (height, width))
        signs = _signs(noise, channels, -(-height // side), -(-width // side)).to(images.dtype)
        pattern = _pattern(side, images)[rows % side][:, columns % side]
        perturbation = unit(signs[:, :, rows // side][..., columns // side] * pattern, "l2")
    return threat.project(images + reach(threat, images) * perturbation, images)


def _move(current: Images, images: Images, threat: ThreatModel, noise: ImageNoise, side: int) -> Images:
    """A neighbour of `current` that differs in one square (L-infinity), or two (L2)."""
    signs = _signs(noise, images.shape[1], 1, 1).to(images.dtype)
    window, rows, columns = _window(images, noise, side)
    if threat.norm == "linf":
        return threat.project(torch.where(window, images + reach(threat, images) * signs, current), images)
    pattern = _pattern(side, images)
    turned = noise.uniform(1, 1) < 0.5  # noqa: PLR2004
    placed = torch.where(turned, pattern.T[rows, columns], pattern[rows, columns])[:, None]
    other, _, _ = _window(images, noise, side)
    length = reach(threat, images)
    return threat.project(images + _shifted(current - images, signs * placed, window, other, length), images)


def _shifted(nu: Images, pattern: Images, window: Tensor, other: Tensor, length: float) -> Images:
    """Algorithm 3, lines 4 to 10: the length in `other`, and what the budget has left, go into `window`."""
    squares = nu.square()
    unused = (length**2 - squares.sum(dim=(1, 2, 3), keepdim=True)).clamp_min(0)
    freed = (squares * (window | other)).sum(dim=(2, 3), keepdim=True)
    available = (freed + unused / nu.shape[1]).sqrt()
    direction = _unit_planes(pattern * window) + _unit_planes(nu * window)
    return torch.where(window, _unit_planes(direction) * available, nu * ~other)


def _window(images: Images, noise: ImageNoise, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """A square at a random place of each image: its mask, and each pixel's row and column in it."""
    height, width = images.shape[2:]
    places = []
    for size in (height, width):
        start = noise.integers(size - side + 1, 1)
        places.append(torch.arange(size, device=images.device) - start)
    inside = [(place >= 0) & (place < side) for place in places]
    rows, columns = (place.clamp(0, side - 1) for place in places)
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None], rows[:, :, None], columns[:, None, :]


def _pattern(side: int, images: Images) -> Tensor:
    """Equation 2 and below it: a positive bump beside a negative one, together a square."""
    upper = side // 2
    return torch.cat([_bump(upper, side, images), -_bump(side - upper, side, images)])


def _bump(height: int, width: int, images: Images) -> Tensor:
    """Equation 2: concentric rectangles that add up to a peak in the middle."""
    n = height // 2
    r, s = (torch.arange(1, size + 1, device=images.device) for size in (height, width))
    away = torch.maximum((r - n - 1).abs()[:, None], (s - width // 2 - 1).abs()[None])
    terms = 1 / torch.arange(n + 1, 0, -1, device=images.device, dtype=images.dtype) ** 2
    return terms.cumsum(0)[(n - away).clamp(0, n)] * (away <= n)


def _unit_planes(images: Images) -> Images:
    length = torch.linalg.vector_norm(images, dim=(2, 3), keepdim=True)
    return images / torch.where(length > 0, length, 1)


def _signs(noise: ImageNoise, *shape: int) -> Tensor:
    return torch.where(noise.uniform(*shape) < 0.5, -1.0, 1.0)  # noqa: PLR2004
