"""Risk against coverage of a system with detectors, at every pair of thresholds that reject alike.

El-Yaniv and Wiener, 2010, JMLR 11:1605; Geifman and El-Yaniv, 2017, arXiv:1705.08500.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from purifold.batches import at_once, in_batches
from purifold.checks import check_evaluating
from purifold.data.split import Split
from purifold.defenses.base import Defended, Detector
from purifold.errors import InputError
from purifold.types import Images, Mask, Scores


@torch.no_grad()
def suspicions(defended: Defended, images: Images) -> Float[Tensor, "batch detectors"]:
    """The score of each image by each detector; refuses a system without any."""
    check_evaluating(defended, "defended")
    detectors = cast(Sequence[Detector], defended.detectors)
    if not len(detectors):
        raise InputError("defended must have detectors: without them nothing is ever rejected")

    def scored(batch: Images) -> Float[Tensor, "batch detectors"]:
        return torch.stack([detector(batch) for detector in detectors], dim=1)

    return in_batches(scored, images, at_once(images))


def strictness(
    scores: Float[Tensor, "batch detectors"], clean: Float[Tensor, "held_out detectors"]
) -> Scores:
    """How strict thresholds must be to reject each image: the share of held-out images that it stands above.

    That of the detector that doubts it most. With every detector's threshold at the same quantile of
    `clean`, an image is rejected at all quantiles below its strictness.

    Args:
        scores: Of the images.
        clean: Of held-out clean images.
    """
    ordered = clean.sort(dim=0).values
    below = torch.stack(
        [
            torch.searchsorted(column.contiguous(), found.contiguous())
            for column, found in zip(ordered.T, scores.T, strict=True)
        ],
        dim=1,
    )
    return below.amax(dim=1).float() / len(clean)


def submitted_best(
    strict: Float[Tensor, "tried batch"], right: Bool[Tensor, "tried batch"]
) -> tuple[Scores, Mask]:
    """Of what an attacker has tried on each image, what serves best: `strictness`, and whether it is right.

    The most trusted of those that are classified wrongly; where none is, the least trusted.
    """
    fooled = (~right).any(dim=0)
    wrong = strict.masked_fill(right, torch.inf).amin(dim=0)
    return torch.where(fooled, wrong, strict.amax(dim=0)), ~fooled


@final
@dataclass(frozen=True, eq=False)
class Ranked:
    """Images by falling trust.

    Args:
        coverage: Shares accepted, from the most trusted image alone to all.
        risk: Of those accepted, the share classified wrongly.
    """

    coverage: Scores
    risk: Scores

    @property
    def area(self) -> float:
        """Under risk against coverage: the mean risk over all coverages."""
        return float(self.risk.double().mean())


def ranked(strict: Scores, right: Mask) -> Ranked:
    """Risk at every coverage; images that are equally strict to reject are accepted together.

    Args:
        strict: `strictness` of each image.
        right: Whether it is classified rightly.
    """
    order = strict.argsort(stable=True)
    values, wrong = strict[order], (~right[order]).double()
    last = torch.searchsorted(values, values, right=True)  # of those as strict, the one accepted last
    wrongs = wrong.cumsum(dim=0)[last - 1]
    return Ranked(coverage=(last.double() / len(strict)).float(), risk=(wrongs / last).float())


def held_out(part: Split | None) -> Split:
    """The held-out images; refuses where there are none."""
    if part is None:
        raise InputError("a risk-coverage curve needs held-out clean images, got None; hold images out")
    return part
