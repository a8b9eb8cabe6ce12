"""A generator and its critic: a Wasserstein GAN with gradient penalty.

Gulrajani et al., 2017, arXiv:1704.00028, algorithm 1; the model of Defense-GAN (Samangouei et al., 2018,
arXiv:1805.06605).
"""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from purifold.errors import InputError
from purifold.networks.base import Shape
from purifold.networks.defense_gan import Critic, Generator
from purifold.types import Images, Scores


@final
class GenerativeModel(nn.Module):
    """Learns to make images that a critic cannot tell from real ones.

    Args:
        generator: From standard normal latents to images.
        critic: From images to how real they look.
        penalty: Weight of the squared distance of the critic's slope from 1.
        critic_updates: Updates of the critic for each of the generator.

    Differs: the generator's update is made together with the last of the critic's `critic_updates`, not
    after it, so that one optimizer serves both. Adam passes over the generator in between, where it has no
    gradient.
    """

    updates: Tensor
    """How many updates were begun; part of the state, so that a resumed training goes on in step."""

    def __init__(
        self, generator: Generator, critic: Critic, *, penalty: float = 10.0, critic_updates: int = 5
    ) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic
        self.penalty, self.critic_updates = penalty, critic_updates
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def forward(self, latent: Tensor) -> Images:
        """The generator's images."""
        return self.generator(latent)

    def loss(self, images: Images) -> Scores:
        """What one update minimises, one an image: the critic's loss, and every few updates the generator's.

        In evaluation mode the critic's alone.
        """
        latent = torch.randn(len(images), self.generator.latent, dtype=images.dtype, device=images.device)
        if not self._generators_turn():
            with torch.no_grad():
                made = self.generator(latent).to(images.dtype)
            return self.critic_loss(images, made)
        made = self.generator(latent).to(images.dtype)
        return self.critic_loss(images, made.detach()) + self.generator_loss(made)

    def critic_loss(self, real: Images, made: Images) -> Scores:
        """Critic's estimate of minus the Wasserstein distance, with the penalty (algorithm 1, line 7)."""
        share = torch.rand(len(real), 1, 1, 1, dtype=real.dtype, device=real.device)
        between = torch.lerp(real, made, share).detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        steepness = torch.linalg.vector_norm(slope.flatten(1), dim=1)
        scores, others = self.critic(torch.cat([real, made])).chunk(2)
        return others - scores + self.penalty * (steepness - 1).square()

    def generator_loss(self, made: Images) -> Scores:
        """How unreal the critic finds what is made; no gradient reaches the critic's weights."""
        weights = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        return -functional_call(self.critic, weights, (made,))

    def _generators_turn(self) -> bool:
        if not self.training:
            return False
        self.updates += 1
        return int(self.updates) % self.critic_updates == 0


@final
@dataclass(frozen=True, kw_only=True)
class GeneratorSpec:
    """Description of a generator and its critic but for the image shape.

    Args:
        latent_size: Latent units; not the `latent` of a data set's autoencoders.
        width: Channels of the narrowest hidden layer; the paper's is 64.
        penalty: As in `GenerativeModel`.
    """

    latent_size: int = 128
    width: int = 32
    penalty: float = 10.0

    def __post_init__(self) -> None:
        for name in ("latent_size", "width"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or above, got {getattr(self, name)}")
        if not 0 <= self.penalty < math.inf:
            raise InputError(f"penalty must be 0 or above and finite, got {self.penalty}")

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"generator, width {self.width}"

    def build(self, shape: Shape) -> GenerativeModel:
        """The pair for images of `shape`, its weights drawn from torch's generator."""
        return GenerativeModel(
            Generator(shape, self.latent_size, self.width), Critic(shape, self.width), penalty=self.penalty
        )
