"""Chain: purifiers one after another."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import ClassVar, cast, final

from torch import nn

from purifold.defenses.base import Purifier
from purifold.defenses.blur import GaussianBlur
from purifold.defenses.reconstruction import Reconstruction
from purifold.errors import InputError
from purifold.types import Images


@final
class Chain(Purifier):
    """Gives each purifier what the one before it made.

    Args:
        purifiers: At least one, in their order. The chain is stochastic where any of them is, and
            differentiable where all of them are.
    """

    name: ClassVar[str] = "chain"

    def __init__(self, purifiers: Iterable[Purifier]) -> None:
        super().__init__()
        links = list(purifiers)
        if not links:
            raise InputError("purifiers must hold at least one purifier, got none")
        self.purifiers = nn.ModuleList(links)
        self.stochastic = any(link.stochastic for link in links)
        self.differentiable = all(link.differentiable for link in links)

    def forward(self, images: Images) -> Images:
        """What the last purifier makes."""
        return _through(self._links(), images)

    def surrogate(self, images: Images) -> Images:
        """The purifiers' surrogates, one after another."""
        return _through([link.surrogate for link in self._links()], images)

    @classmethod
    def example(cls, channels: int, size: int) -> "Chain":
        """A sampled autoencoder and a blur."""
        return cls([Reconstruction.example(channels, size), GaussianBlur.example(channels, size)])

    def _links(self) -> Iterable[Purifier]:
        return cast(Iterable[Purifier], self.purifiers)


def _through(links: Iterable[Callable[[Images], Images]], images: Images) -> Images:
    return reduce(lambda purified, link: link(purified), links, images)
