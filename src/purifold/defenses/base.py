"""What every defense is: purifiers, detectors, reclassifiers, and the defended system they make up."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, cast, final

import torch
from torch import Tensor, nn

from purifold.batches import at_once, in_batches
from purifold.checks import check_evaluating, check_images
from purifold.errors import Failure, InputError
from purifold.types import Images, Labels, Logits, Mask, Model, Scores

ROUNDING = 1e-9
"""Slack for shares of a count that floats miss: 0.29 of 100 is 29 images."""
REJECTED = -1
"""The prediction for an image that a detector turned away."""


class Purifier(nn.Module, ABC):
    """Maps images to images that a classifier reads in their place."""

    name: ClassVar[str]
    stochastic: bool
    """Whether two calls on the same images may differ."""
    differentiable: bool
    """Whether autograd through `forward` gives its true gradient."""

    @abstractmethod
    def forward(self, images: Images) -> Images:
        """The purified images, as deployed; any sampling draws by `purifold.randomness.normal`."""

    def surrogate(self, images: Images) -> Images:
        """What an adaptive attacker differentiates: `forward` without sampling, or a stand-in for it."""
        return self.forward(images)

    def settled(self, images: Images) -> Tensor:
        """What of `forward` no draw changes, a row an image: the images, or what the draws need of them.

        `drawn(settled(images))` is `forward(images)`, and its gradient; many draws share one `settled`.
        """
        return images

    def drawn(self, settled: Tensor) -> Images:
        """The rest of `forward`."""
        return self.forward(settled)

    def stand_ins(self, classifier: Model) -> Mapping[str, Model]:
        """Models that an adaptive attacker differentiates too, in place of the whole system, by name.

        For a purifier that chooses or searches, the gradient of what it chose may say little about how to
        make it choose otherwise.

        Args:
            classifier: The one behind the purifier.
        """
        return {}

    @classmethod
    @abstractmethod
    def example(cls, channels: int, size: int) -> "Purifier":
        """A small instance for square images, untrained; the contract tests try it."""


class Detector(nn.Module, ABC):
    """Scores how suspicious images are, higher is more; images above the threshold are rejected.

    Deterministic, and differentiable so that it can be attacked. The threshold is part of the state.
    """

    name: ClassVar[str]
    threshold: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("threshold", torch.tensor(torch.inf))

    @abstractmethod
    def forward(self, images: Images) -> Scores:
        """Suspicion of each image."""

    @final
    @torch.no_grad()
    def calibrate(self, clean: Images, false_positive_rate: float) -> None:
        """Sets the threshold that rejects at most this share of `clean`, held-out clean images.

        The threshold is the smallest score of `clean` that leaves at most `false_positive_rate` of them
        above it. Raises `InputError` when there are too few images to resolve the rate.
        """
        if not 0 < false_positive_rate < 1:
            raise InputError(f"false_positive_rate must lie in (0, 1), got {false_positive_rate}")
        check_images(clean, "clean")
        check_evaluating(self, "detector")
        allowed = math.floor(len(clean) * false_positive_rate + ROUNDING)
        if allowed < 1:
            raise InputError(
                f"{len(clean)} clean images cannot resolve a false positive rate of {false_positive_rate}; "
                f"pass at least {resolving(false_positive_rate)}"
            )
        scores = in_batches(self, clean, at_once(clean))
        broken = int((~scores.isfinite()).sum())
        if broken:
            raise Failure(
                f"detector {self.name} gives {broken} clean images a score that is no finite number"
            )
        self.threshold.copy_(scores.sort(descending=True).values[allowed])

    @final
    def accepts(self, images: Images) -> Mask:
        """Which images pass; refuses to answer before `calibrate`, where every image would."""
        if self.threshold.isposinf():
            raise InputError(f"detector {self.name} has no threshold; call its calibrate with clean images")
        return self(images) <= self.threshold

    @classmethod
    @abstractmethod
    def example(cls, channels: int, size: int) -> "Detector":
        """A small instance for square images, untrained and uncalibrated; the contract tests try it."""


def resolving(false_positive_rate: float) -> int:
    """How many clean images a threshold for this rate, above 0, must be set by."""
    return math.ceil(1 / false_positive_rate - ROUNDING)


SECOND_LOOK = "second-look"
"""Name of the view in which an attacker deceives the reclassifier."""


class Reclassifier(nn.Module, ABC):
    """Gives rejected images a second chance."""

    name: ClassVar[str]

    @abstractmethod
    def forward(self, images: Images) -> Labels:
        """Classes of rejected images, `REJECTED` where it refuses too."""

    @abstractmethod
    def scores(self, images: Images) -> Logits:
        """What an attacker differentiates: the largest is that of the class that it answers with."""


@final
class Defended(nn.Module):
    """A classifier behind a purifier and detectors; both read the image as submitted.

    Args:
        classifier: Images in [0, 1] to logits; normalisation is its own first layer.
        purifier: Applied before the classifier.
        detectors: An image is rejected when any of them rejects it.
        reclassifier: Asked about rejected images.
    """

    def __init__(
        self,
        classifier: nn.Module,
        purifier: Purifier | None = None,
        detectors: Iterable[Detector] = (),
        reclassifier: Reclassifier | None = None,
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.purifier = purifier
        self.detectors = nn.ModuleList(detectors)
        self.reclassifier = reclassifier

    @property
    def stochastic(self) -> bool:
        """Whether two predictions of one image may differ."""
        return self.purifier is not None and self.purifier.stochastic

    def forward(self, images: Images) -> Logits:
        """Logits of the purified images: the differentiable path, without detectors."""
        return self.classifier(images if self.purifier is None else self.purifier(images))

    @torch.no_grad()
    def predict(self, images: Images, batch_size: int | None = None) -> Labels:
        """Classes as deployed, one draw of any sampling; `REJECTED` where a detector turns the image away."""
        check_images(images)
        check_evaluating(self, "defended")
        return in_batches(self._predict, images, at_once(images) if batch_size is None else batch_size)

    def _predict(self, images: Images) -> Labels:
        prediction = self(images).argmax(dim=1)
        for detector in cast(Iterable[Detector], self.detectors):
            prediction = prediction.masked_fill(~detector.accepts(images), REJECTED)
        rejected = prediction == REJECTED
        if self.reclassifier is not None and rejected.any():
            prediction[rejected] = self.reclassifier(images[rejected])
        return prediction
