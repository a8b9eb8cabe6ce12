"""MagNet: detectors reject what is far from clean images, a reformer moves the rest towards them.

Meng and Chen, 2017, arXiv:1705.09064.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, final

from purifold.autoencoders.base import Reconstructs
from purifold.autoencoders.magnet import MagnetSpec
from purifold.defenses.base import Defended, Detector, Purifier
from purifold.defenses.divergence import Divergence
from purifold.defenses.recipe import Parts, Recipe
from purifold.defenses.reconstruction_error import ReconstructionError
from purifold.types import Images

TEMPERATURES = (10.0, 40.0)


@final
class Reformer(Purifier):
    """What an autoencoder makes of each image.

    Args:
        autoencoder: Trained.
    """

    name: ClassVar[str] = "reformer"
    stochastic = False
    differentiable = True

    def __init__(self, autoencoder: Reconstructs) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, images: Images) -> Images:
        """The reconstructions."""
        return self.autoencoder.reconstruct(images)

    @classmethod
    def example(cls, channels: int, size: int) -> "Reformer":
        """An untrained pooled autoencoder."""
        return cls(MagnetSpec().build((channels, size, size)))


def _magnet(parts: Parts, *, detect: bool = True, false_positive_rate: float = 0.001) -> Defended:
    first, second = parts.autoencoders
    detectors = (ReconstructionError(first, order=2), ReconstructionError(second, order=1))
    return _device(parts, first, detectors if detect else (), false_positive_rate)


def _magnet_color(parts: Parts, *, detect: bool = True, false_positive_rate: float = 0.005) -> Defended:
    (autoencoder,) = parts.autoencoders
    detectors = (
        ReconstructionError(autoencoder, order=1),
        *(Divergence(parts.classifier, autoencoder, temperature=each) for each in TEMPERATURES),
    )
    return _device(parts, autoencoder, detectors if detect else (), false_positive_rate)


def _device(parts: Parts, reformer: Reconstructs, detectors: Sequence[Detector], rate: float) -> Defended:
    for detector in detectors:
        detector.eval().calibrate(parts.clean_images(), rate)
    return Defended(parts.classifier, Reformer(reformer), detectors)


magnet = Recipe(
    name="magnet",
    summary="MagNet as for MNIST: reformer, and detectors that reject a thousandth of clean images each",
    assemble=_magnet,
    autoencoders=(partial(MagnetSpec), partial(MagnetSpec, pooled=False)),
)
magnet_color = Recipe(
    name="magnet-color",
    summary="MagNet as for CIFAR-10: reformer, and three detectors that reject 0.5 % of clean images each",
    assemble=_magnet_color,
    autoencoders=(partial(MagnetSpec, width=32, pooled=False, noise_std=0.025),),
)
