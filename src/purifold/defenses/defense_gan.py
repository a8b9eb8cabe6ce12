"""Defense-GAN: an image gives way to the nearest one that a generator can make, found by descent.

Samangouei et al., 2018, arXiv:1805.06605, section 4; https://github.com/kabkabm/defensegan.
"""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from purifold.autoencoders.generative import GenerativeModel, GeneratorSpec
from purifold.checks import check_at_least
from purifold.defenses.base import Defended, Purifier
from purifold.defenses.precision import Precision, in_precision
from purifold.defenses.recipe import Parts, Recipe
from purifold.errors import InputError
from purifold.networks.doubling import doubled
from purifold.randomness import normal
from purifold.types import Images, Latent, Logits, Model, Scores

RATE, MOMENTUM, LATE, DECAY = 10.0, 0.7, 0.8, 0.1
"""Of the descent, as the authors' code has them: after `LATE` of the steps the rate is `DECAY` of itself."""
ROWS = 512
"""Starts that descend at a time: bounds memory."""
UNROLLED = 10
"""Last steps of the descent that an attacker differentiates."""
RESTARTS = 2
"""Of an attacker's own search at every step of his: with those of the defense he would wait for hours."""


@final
class Projection(Purifier):
    """Descends from `restarts` latents to the generator's image nearest to each image; the best one returns.

    Gradient descent with momentum on the mean squared error of the pixels. All restarts of many images
    descend in one batch, and none depends on another.

    Args:
        generator: Trained.
        steps: Of each descent.
        restarts: Latents that each image starts from; with a `spread` of 0 they are one and the same, and one
            is tried.
        spread: Standard deviation of the starts; 0 starts at the middle, always the same.
        precision: Of the generator that is descended on; the best restart is found, and its image made, in
            that of its weights. "bfloat16" is faster, and float32 on a machine that has none.

    Differs: images outside [0, 1] cannot be generated, as the generator ends in a sigmoid; latents start as
    the generator was trained on them, where the authors' code starts nearer to the middle, at a `spread` of
    1 / sqrt(latent).
    """

    name: ClassVar[str] = "defense-gan"
    differentiable = False

    def __init__(
        self,
        generator: GenerativeModel,
        *,
        steps: int = 200,
        restarts: int = 20,
        spread: float = 1.0,
        precision: Precision = "float32",
    ) -> None:
        super().__init__()
        check_at_least(steps, 1, "steps")
        check_at_least(restarts, 1, "restarts")
        if not 0 <= spread < float("inf"):
            raise InputError(f"spread must be 0 or above and finite, got {spread}")
        self.generator = generator
        self.searched = in_precision(generator.generator, precision)
        if self.searched is not generator.generator:
            self.searched.layers = doubled(self.searched.layers)
        self.steps, self.restarts, self.spread, self.precision = steps, restarts, spread, precision
        self.stochastic = spread > 0

    def forward(self, images: Images) -> Images:
        """The nearest images found."""
        with torch.no_grad():
            return self.generator(self.project(images)) if len(images) else images.clone()

    def surrogate(self, images: Images) -> Images:
        """The images themselves: near a generated image the projection is nearly the identity (BPDA).

        Athalye et al., 2018, arXiv:1802.00420, section 5.4.1.
        """
        return images

    def stand_ins(self, classifier: Model) -> Mapping[str, Model]:
        """Both search with `RESTARTS`. `unrolled` differentiates the last steps of the descent.

        `bpda` takes the gradient at the image found for that at the image given, as `surrogate` does.
        """

        def found(images: Images) -> Latent:
            return self.project(images.detach(), min(RESTARTS, self.restarts))

        def bpda(images: Images) -> Logits:
            with torch.no_grad():
                made = self.generator(found(images))
            return classifier(images + (made - images).detach())

        def unrolled(images: Images) -> Logits:
            latent = found(images)
            for _ in range(UNROLLED):
                latent = latent - RATE * DECAY * _slope(self.generator, latent, images, create_graph=True)
            return classifier(self.generator(latent))

        return {"bpda": bpda, "unrolled": unrolled}

    def project(self, images: Images, restarts: int | None = None) -> Latent:
        """The best latent of each image, (batch, latent), of `restarts`, or of the defense's own number."""
        restarts = (restarts or self.restarts) if self.stochastic else 1
        starts = self.spread * normal((len(images), restarts, self.generator.generator.latent), images)
        portion = max(1, ROWS // restarts)
        pairs = zip(images.split(portion), starts.split(portion), strict=True)
        return torch.cat([self._best(some, where) for some, where in pairs])

    def _best(self, images: Images, starts: Tensor) -> Latent:
        count, restarts, _ = starts.shape
        targets = images.repeat_interleave(restarts, dim=0)
        latent = self._descended(starts.flatten(0, 1), targets)
        with torch.no_grad():
            errors = _errors(self.generator, latent, targets).view(count, restarts)
        rows = torch.arange(count, device=images.device)
        return latent.view(count, restarts, -1)[rows, errors.argmin(dim=1)]

    def _descended(self, latent: Latent, targets: Images) -> Latent:
        velocity = torch.zeros_like(latent)
        for step in range(self.steps):
            rate = RATE if step < LATE * self.steps else RATE * DECAY
            velocity = MOMENTUM * velocity - rate * _slope(self.searched, latent, targets)
            latent = latent + velocity
        return latent

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return (
            f"steps={self.steps}, restarts={self.restarts}, "
            f"spread={self.spread:g}, precision={self.precision!r}"
        )

    @classmethod
    def example(cls, channels: int, size: int) -> "Projection":
        """An untrained small generator, few steps."""
        return cls(GeneratorSpec(latent_size=4, width=4).build((channels, size, size)), steps=5, restarts=2)


def _slope(generator: nn.Module, latent: Latent, targets: Images, *, create_graph: bool = False) -> Latent:
    with torch.enable_grad():
        latent = latent if latent.requires_grad else latent.detach().requires_grad_()
        error = _errors(generator, latent, targets).sum()
        (slope,) = torch.autograd.grad(error, latent, create_graph=create_graph)
    return slope


def _errors(generator: nn.Module, latent: Latent, targets: Images) -> Scores:
    """Mean squared errors, in the precision of `targets`, whatever that of the generator."""
    precision = next(generator.parameters()).dtype
    made = generator(latent.to(precision)).to(targets.dtype)
    return (made - targets).square().flatten(1).mean(dim=1)


def _assemble(
    parts: Parts,
    *,
    steps: int = 200,
    restarts: int = 20,
    spread: float = 1.0,
    precision: Precision = "float32",
) -> Defended:
    (generator,) = parts.autoencoders
    projection = Projection(generator, steps=steps, restarts=restarts, spread=spread, precision=precision)
    return Defended(parts.classifier, projection)


defense_gan = Recipe(
    name="defense-gan",
    summary="the nearest image that a generator makes, of 20 descents of 200 steps",
    assemble=_assemble,
    autoencoders=(partial(GeneratorSpec),),
    sampling="spread",
    effort=("steps", "restarts"),
    differentiable=False,
    transparent=True,
    stand_ins=("bpda", "unrolled"),
)
