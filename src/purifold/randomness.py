"""Randomness: one seeded boundary, and noise that belongs to an image instead of its place in a batch."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from purifold.types import Images

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX = (-4658895280553007687, -7723592293110705685)  # 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds torch on the CPU and every GPU; puts the caller's generators back at the end."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield


_own = threading.local()


@contextmanager
def drawn_apart(seed: int, device: torch.device | str) -> Iterator[None]:
    """What `normal` draws in this thread comes from a generator of its own, whatever others draw."""
    _own.generator = torch.Generator(device).manual_seed(seed)
    try:
        yield
    finally:
        _own.generator = None


def normal(shape: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal draws of a model, in the precision and on the device of `like`."""
    generator = getattr(_own, "generator", None)
    return torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)


def generators(device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Where torch's generators stand: that of the CPU, and that of `device` if it is an NVIDIA GPU."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def rewind(device: torch.device, states: tuple[Tensor, Tensor | None]) -> None:
    """Puts the generators back to where `generators` found them."""
    torch.set_rng_state(states[0])
    if states[1] is not None:
        torch.cuda.set_rng_state(states[1], device)


@dataclass
class ImageNoise:
    """Random numbers that depend on an image's content, the seed and how many were drawn before.

    The same image gets the same noise whatever shares its batch, and on any device: a counter-based
    generator (SplitMix64: Steele et al., 2014, "Fast splittable pseudorandom number generators",
    figure 14) is keyed by a hash of each image's bits.

    Args:
        make: Gives one 64-bit key an image, when the first number is drawn; see `ImageNoise.of`.
    """

    make: Callable[[], Tensor]
    drawn: int = field(default=0, init=False)

    @classmethod
    def of(cls, images: Images, seed: int) -> "ImageNoise":
        """Noise keyed by each image's pixels and `seed`."""
        return cls(lambda: _keys(images, seed))

    @cached_property
    def keys(self) -> Tensor:
        """One an image, int64."""
        return self.make()

    def select(self, rows: Tensor) -> "ImageNoise":
        """The noise of these images alone, from where it stands."""
        chosen = ImageNoise(lambda: self.keys[rows])
        chosen.drawn = self.drawn
        return chosen

    def uniform(self, *shape: int) -> Tensor:
        """Float32 uniform in [0, 1), (images, *shape)."""
        bits = self._bits(math.prod(shape))
        return ((bits >> 40) & 0xFFFFFF).float().div_(1 << 24).view(-1, *shape)

    def normal(self, *shape: int) -> Tensor:
        """Float32 standard normal, (images, *shape)."""
        radius = torch.sqrt(-2 * torch.log1p(-self.uniform(*shape)))
        return radius * torch.cos(2 * math.pi * self.uniform(*shape))

    def integers(self, high: int, *shape: int) -> Tensor:
        """Int64 uniform in [0, high), (images, *shape)."""
        return (self.uniform(*shape).double() * high).long()

    def _bits(self, count: int) -> Tensor:
        counter = torch.arange(self.drawn, self.drawn + count, device=self.keys.device)
        self.drawn += count
        return _mix(self.keys[:, None] + (counter + 1) * _GOLDEN)


def _keys(images: Images, seed: int) -> Tensor:
    bits = images.detach().flatten(1).float().contiguous().view(torch.int32).long()
    places = torch.arange(bits.shape[1], device=bits.device) * _GOLDEN
    return _mix(_mix(bits + places).sum(dim=1) + _mix(torch.tensor(seed + 1)).to(bits.device))


def _mix(value: Tensor) -> Tensor:
    """SplitMix64's finaliser on int64, whose products wrap as the unsigned ones do."""
    for shift, factor in zip((30, 27), _MIX, strict=True):
        value = (value ^ _shift(value, shift)) * factor
    return value ^ _shift(value, 31)


def _shift(value: Tensor, by: int) -> Tensor:
    return (value >> by) & ((1 << (64 - by)) - 1)  # logical: the sign bit is not carried along
