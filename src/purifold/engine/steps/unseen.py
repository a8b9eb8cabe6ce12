"""The step that submits what is none of the classes: noise, or images of another data set."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias, final, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from purifold.defenses.base import REJECTED
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.system import System
from purifold.errors import unknown
from purifold.evaluation.intervals import Proportion
from purifold.networks.base import Shape
from purifold.randomness import seeded
from purifold.types import Images

Noise: TypeAlias = Literal["uniform", "gaussian"]
ACCEPTED = "accepted.json"
SPREAD = 0.25
"""Standard deviation of Gaussian noise around middle grey, before it is clamped to the pixel range."""


@final
@dataclass(frozen=True, kw_only=True)
class Unseen(Step):
    """How many inputs that show no class at all are accepted.

    Args:
        system: That answers.
        source: "uniform" or "gaussian" noise, or the test images of another data set, resized.
        count: How many inputs.
        seed: Of the noise.
    """

    kind: ClassVar[str] = "unseen"

    system: System
    source: str | Data
    count: int
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        source = self.source.name if isinstance(self.source, Data) else f"{self.source} noise"
        return f"{source} submitted to {self.system.defense}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Submits; see `Step.run`."""
        shape = self.system.data.load(bench.resources).shape
        if isinstance(self.source, Data):
            other = self.source.part("test", bench.resources, self.count).images()
            images = fitted(other, shape)
        else:
            images = noise(self.source, self.count, shape, self.seed).to(bench.resources.device)
        with seeded(self.seed):
            answers = self.system.build(bench).predict(images)
        (bench.folder / ACCEPTED).write_text(json.dumps(asdict(Proportion.of(answers != REJECTED))))


def read_accepted(folder: Path) -> Proportion:
    """The share in an artefact of `Unseen`."""
    return Proportion(**json.loads((folder / ACCEPTED).read_text()))


def noise(source: str, count: int, shape: Shape, seed: int) -> Images:
    """Images of independent pixels."""
    if source not in get_args(Noise):
        raise unknown("noise", source, get_args(Noise))
    generator = torch.Generator().manual_seed(seed)
    if source == "uniform":
        return torch.rand(count, *shape, generator=generator)
    return (0.5 + SPREAD * torch.randn(count, *shape, generator=generator)).clamp(0, 1)


def fitted(images: Images, shape: Shape) -> Float[Tensor, "batch fitted_channel fitted_height fitted_width"]:
    """Images of another data set in this one's shape: grey where channels differ, resized bilinearly."""
    channels, height, width = shape
    if images.shape[1] != channels:
        images = images.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
    if images.shape[2:] == (height, width):
        return images
    return F.interpolate(images, (height, width), mode="bilinear", antialias=True).clamp(0, 1)
