"""What an attacker of a Gaussian-mixture VAE has to reconcile: encoded as one class, and decoded as it looks.

Ghosh, Losalka and Black, 2019 (`gm-vae`), equations 10 and 11.
"""

from collections.abc import Callable, Sequence
from typing import cast, final

from purifold.attacks.descent import Penalty
from purifold.defenses.base import REJECTED, Defended, Detector
from purifold.defenses.latent_distance import LatentDistance
from purifold.defenses.reconstruction_error import ReconstructionError
from purifold.errors import InputError
from purifold.types import Images, Labels, Mask, Scores

EXPONENTS = (2.0, 2.0)
"""The paper's a and b, above 1, which it does not give."""


@final
class Conflict:
    """Both equations without their distance to a source image.

    Args:
        defended: With both detectors of a Gaussian-mixture VAE, in evaluation mode.

    Differs: the error is divided by its threshold as the detector has it, a mean over the pixels of squares.
    """

    def __init__(self, defended: Defended) -> None:
        detectors = cast(Sequence[Detector], list(defended.detectors))
        latent = [part for part in detectors if isinstance(part, LatentDistance)]
        output = [part for part in detectors if isinstance(part, ReconstructionError)]
        if not (latent and output):
            raise InputError(
                "defended must have a latent detector and one of reconstruction errors; "
                "use defense gm-vae or mixture-detector"
            )
        self.defended = defended
        self.latent, self.output = latent[0], output[0]
        self.autoencoder = self.latent.autoencoder

    def penalty(self, target: int) -> Penalty:
        """How far images are from passing as the class `target`: (error / tau)^a + (distance / tau)^b."""
        of_error, of_distance = EXPONENTS

        def terms(images: Images) -> Scores:
            codes = self.autoencoder.encode(images)
            error = (self.autoencoder.decode(codes) - images).square().flatten(1).mean(dim=1)
            distance = self.latent.distances(codes)[:, target]
            return (error / self.output.threshold) ** of_error + (
                distance / self.latent.threshold
            ) ** of_distance

        return terms

    def fooled(self, labels: Labels) -> Callable[[Images], Mask]:
        """Which images are accepted as another class than `labels` says; `REJECTED` says it is of none."""

        def reached(images: Images) -> Mask:
            answers = self.defended.predict(images)
            return (answers != REJECTED) & (answers != labels)

        return reached
