"""Giving rejected images a second chance: the latent that accounts best for an image tells its class.

Ghosh, Losalka and Black, 2019 (`gm-vae`), section 3, "Reclassification", equation 9.
"""

from collections.abc import Callable
from typing import ClassVar, Literal, TypeAlias, final

import torch
from torch import Tensor

from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.checks import check_at_least
from purifold.defenses.base import REJECTED, Detector, Reclassifier
from purifold.defenses.latent_distance import LatentDistance
from purifold.types import Images, Labels, Latent, Logits, Scores

Objective: TypeAlias = Literal["loss", "distance"]
Costs: TypeAlias = Callable[[Tensor, Images], Tensor]
"""Of latents, (batch, starts, latent), for images: (batch, starts)."""

ROWS = 128
"""Latents that are decoded at a time: few enough that the allocator keeps their memory for the next step."""
FEWER, FEWEST = 10, 2
"""After every so many steps an image keeps the better half of its starts, no fewer than so many. Not before:
what the means themselves cost does not tell how low the descents from them end."""
PATIENCE = 30
"""Steps without progress of an image's least cost after which it is done."""
PROGRESS = 0.998
"""A cost below this share of the least is progress."""
RATE = 0.05
"""Adam's, in a latent whose means are sqrt(2) apart."""
SOFTNESS = 0.1
"""A logit falls by 1 where the cost rises by this share of the least one."""
MOMENTS = (0.9, 0.999)
STABLE = 1e-8


@final
class LatentSearch(Reclassifier):
    """Descends from all class means; the class of the cheapest latent on the way.

    Each image leaves the batch when its least cost gets no smaller.

    Differs: the cost is both terms of equation 7, the squared error of the decoded image and the squared
    distance to the nearest mean, weighted as in training. Equation 9 has the first alone. Starts that fall
    behind are given up; see `FEWER`.

    Args:
        autoencoder: Trained.
        steps: Latents that each start comes by, at most, itself the first.
        objective: "loss" as said, "distance" as in equation 9, squared.
        latent: With a threshold; ends farther from a mean are refused. Without it none is.
        output: Of reconstruction errors as mean squares over the pixels; larger ones are refused, likewise.

    Both must have their thresholds set, by `calibrate` or as in the recipe `gm-vae`.
    """

    name: ClassVar[str] = "latent-search"

    def __init__(
        self,
        autoencoder: MixtureAutoencoder,
        *,
        steps: int = 100,
        objective: Objective = "loss",
        latent: LatentDistance | None = None,
        output: Detector | None = None,
    ) -> None:
        super().__init__()
        check_at_least(steps, 1, "steps")
        self.autoencoder = autoencoder
        self.steps = steps
        self.objective: Objective = objective
        self.weight = {"loss": autoencoder.prior_weight, "distance": 0.0}[objective]
        self.latent = latent
        self.output = output

    def forward(self, images: Images) -> Labels:
        """The class of the nearest mean of each image's best latent, `REJECTED` beyond a threshold."""
        latent, _ = self.search(images)
        labels = self.autoencoder.distances(latent).argmin(dim=1)
        accepted = torch.ones_like(labels, dtype=torch.bool)
        if self.latent is not None:
            accepted &= self.latent.own(latent) <= self.latent.threshold
        if self.output is not None:
            errors = (self.autoencoder.decode(latent) - images).square().flatten(1).mean(dim=1)
            accepted &= errors <= self.output.threshold
        return labels.masked_fill(~accepted, REJECTED)

    def scores(self, images: Images) -> Logits:
        """How little a latent of each class costs.

        All starts descend to the end. There the cost is nearly at its least, so that its gradient by the
        image is that with the latent held fixed (the envelope theorem). A class in which no start ends has
        the lowest score.
        """
        parts = [self._scores(batch) for batch in images.split(max(1, ROWS // self.autoencoder.classes))]
        return torch.cat(parts)

    def search(self, images: Images) -> tuple[Latent, Scores]:
        """The best latent of each image, and what it costs."""
        descent = _Descent(self._costs, self.autoencoder.means, images)
        for _ in range(self.steps):
            if not descent.step():
                break
        return descent.best()

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"steps={self.steps}, objective={self.objective!r}"

    def _scores(self, images: Images) -> Logits:
        costs, labels = self._at_ends(images)
        least = costs.detach().amin(dim=1, keepdim=True).clamp_min(STABLE)
        logits = -costs / (SOFTNESS * least)
        lowest = logits.detach().amin(dim=1, keepdim=True).expand(-1, self.autoencoder.classes)
        return lowest.scatter_reduce(1, labels, logits, "amax")

    def _at_ends(self, images: Images) -> tuple[Tensor, Tensor]:
        """What the ends of the starts cost, and the classes there: each (batch, starts)."""
        latent = self._ends(images.detach())
        return self._costs(latent, images), self._distances(latent).argmin(dim=2)

    @torch.enable_grad()
    def _ends(self, images: Images) -> Tensor:
        """Where each start ends, (batch, starts, latent)."""
        latent = self.autoencoder.means.repeat(len(images), 1, 1).requires_grad_()
        optimiser = torch.optim.Adam([latent], lr=RATE, betas=MOMENTS, eps=STABLE)
        for _ in range(self.steps):
            (latent.grad,) = torch.autograd.grad(self._costs(latent, images).sum(), latent)
            optimiser.step()
        return latent.detach()

    def _costs(self, latent: Tensor, images: Images) -> Tensor:
        decoded = self.autoencoder.decode(latent.flatten(0, 1)).unflatten(0, latent.shape[:2])
        errors = (decoded - images[:, None]).square().flatten(2).sum(dim=2)
        return errors + self.weight * self._distances(latent).amin(dim=2)

    def _distances(self, latent: Tensor) -> Tensor:
        """Squared, to each mean: (batch, starts, classes)."""
        return self.autoencoder.distances(latent.flatten(0, 1)).unflatten(0, latent.shape[:2])


class _Descent:
    """Adam on the latents of the starts that still get on, of the images that do."""

    def __init__(self, costs: Costs, starts: Tensor, images: Images) -> None:
        self.costs, self.images = costs, images
        self.rows = torch.arange(len(images), device=images.device)
        self.latent = starts.repeat(len(images), 1, 1)
        self.mean = torch.zeros_like(self.latent)
        self.square = torch.zeros_like(self.latent)
        self.found = torch.zeros_like(self.latent[:, 0])
        self.cost = torch.full_like(self.found[:, 0], torch.inf)
        self.least = self.cost.clone()
        self.idle = torch.zeros_like(self.rows)
        self.steps = 0

    def step(self) -> bool:
        """Takes in the costs, lets go of what is done or behind, and steps; False when none is left."""
        costs, gradient = self._descend()
        going = self._note(costs)
        if not going.any():
            return False
        self.steps += 1
        self.rows, self.idle = self.rows[going], self.idle[going]
        starts = self._ahead(costs[going])[:, :, None].expand(-1, -1, gradient.shape[2])
        state = (self.latent, gradient, self.mean, self.square)
        self.latent, gradient, self.mean, self.square = (part[going].gather(1, starts) for part in state)
        self._move(gradient)
        return True

    def best(self) -> tuple[Latent, Scores]:
        """Of each image, the latent with the least cost of all starts and steps, and the cost."""
        return self.found, self.cost

    def _descend(self) -> tuple[Tensor, Tensor]:
        size = max(1, ROWS // self.latent.shape[1])
        parts = zip(self.latent.split(size), self.rows.split(size), strict=True)
        found = [self._slopes(latent, self.images[rows]) for latent, rows in parts]
        costs, gradients = zip(*found, strict=True)
        return torch.cat(costs), torch.cat(gradients)

    @torch.enable_grad()
    def _slopes(self, latent: Tensor, images: Images) -> tuple[Tensor, Tensor]:
        latent = latent.detach().requires_grad_()
        costs = self.costs(latent, images)
        (gradient,) = torch.autograd.grad(costs.sum(), latent)
        return costs.detach(), gradient

    def _note(self, costs: Tensor) -> Tensor:
        """Keeps what is better; says which images go on."""
        rows = self.rows
        least, start = costs.min(dim=1)
        better = least < self.cost[rows]
        here = self.latent[torch.arange(len(rows), device=rows.device), start]
        self.found[rows] = torch.where(better[:, None], here, self.found[rows])
        self.cost[rows] = torch.where(better, least, self.cost[rows])
        progress = least < PROGRESS * self.least[rows]
        self.least[rows] = torch.where(progress, least, self.least[rows])
        self.idle = torch.where(progress, 0, self.idle + 1)
        return self.idle < PATIENCE

    def _ahead(self, costs: Tensor) -> Tensor:
        """The starts that each image goes on from."""
        starts = costs.shape[1]
        halved = self.steps > 1 and self.steps % FEWER == 1
        kept = min(starts, max(FEWEST, -(-starts // 2))) if halved else starts
        return costs.topk(kept, dim=1, largest=False).indices

    def _move(self, gradient: Tensor) -> None:
        decay, square_decay = MOMENTS
        self.mean = self.mean.lerp(gradient, 1 - decay)
        self.square = square_decay * self.square + (1 - square_decay) * gradient.square()
        scale = (self.square / (1 - square_decay**self.steps)).sqrt() + STABLE
        self.latent = self.latent - RATE / (1 - decay**self.steps) * self.mean / scale
