"""Rejecting what an autoencoder of clean images cannot reconstruct.

Meng and Chen, 2017, "MagNet", arXiv:1705.09064, section 4.2.1.
"""

from typing import ClassVar, Literal, final

from purifold.autoencoders.base import Reconstructs
from purifold.defenses.base import Defended, Detector
from purifold.defenses.recipe import Parts, Recipe
from purifold.defenses.reconstruction import Reconstruction, ae
from purifold.types import Images, Scores

Order = Literal[1, 2]


@final
class ReconstructionError(Detector):
    """Mean over pixels of the error between an image and its reconstruction, to the power `order`.

    Differs: MagNet's norm is the root of the sum. That ranks images alike, so the same are rejected.

    Args:
        autoencoder: Trained on clean images.
        order: 1 for absolute errors, 2 for squared ones; MagNet has a detector of each.
    """

    name: ClassVar[str] = "reconstruction-error"

    def __init__(self, autoencoder: Reconstructs, *, order: Order = 2) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.order = order

    def forward(self, images: Images) -> Scores:
        """The error of each image, 0 to 1."""
        error = (images - self.autoencoder.reconstruct(images)).abs().flatten(1)
        return error.pow(self.order).mean(dim=1)

    @classmethod
    def example(cls, channels: int, size: int) -> "ReconstructionError":
        """An untrained autoencoder, squared errors."""
        return cls(Reconstruction.example(channels, size).autoencoder)

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"order={self.order}"


def _assemble(parts: Parts, *, order: Order = 2, false_positive_rate: float = 0.01) -> Defended:
    (autoencoder,) = parts.autoencoders
    detector = ReconstructionError(autoencoder, order=order).eval()
    detector.calibrate(parts.clean_images(), false_positive_rate)
    return Defended(parts.classifier, detectors=[detector])


ae_detector = Recipe(
    name="ae-detector",
    summary="rejects what a plain autoencoder reconstructs worse than 99 % of held-out clean images",
    assemble=_assemble,
    autoencoders=ae.autoencoders,
)
