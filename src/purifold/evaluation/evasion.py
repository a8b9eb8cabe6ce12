"""The objective of an attacker who must pass the detectors as well as fool the classifier."""

from collections.abc import Mapping, Sequence

import torch

from purifold.defenses.base import Detector
from purifold.errors import InputError
from purifold.types import Images, Logits, Model, Scores

CLEAR = 1e-3
"""Logits between an image just accepted and one just rejected, so that rounding cannot blur the two."""
WEIGHINGS: Mapping[str, float] = {"weighed-0.1": 0.1, "weighed-1": 1.0, "weighed-10": 10.0}
"""Weights of the suspicion beside the classifier's margin, by the name of the view that adds the two."""


def evading(model: Model, detectors: Sequence[Detector], label: int) -> Model:
    """Logits whose margin against `label` is above 0 exactly where the image is misclassified and accepted.

    Where the image is more suspicious than wrong, the label's logit is lifted above all others by how
    suspicious it is: the margin becomes the smaller of the classifier's and of the distance to rejection.
    So every attack, whatever its loss, gets past the classifier and the detectors at once, and follows the
    one that it is further from passing, as in selective descent (Bryniarski et al., 2021, arXiv:2106.15023).

    Differs: Carlini and Wagner, 2017 (arXiv:1705.07263) and ART append a logit for "rejected", which serves
    targeted attacks only: without a target, being rejected would count as a success.

    Args:
        model: Images to logits.
        detectors: An image passes when all accept it; each has its threshold.
        label: True class of every image that the result will be given.
    """
    return _both(model, detectors, label, sign=1)


def provoking(model: Model, detectors: Sequence[Detector], label: int) -> Model:
    """The same where a rejected image is classified again: above 0 exactly where that is wrong and is asked.

    Args:
        model: Images to the scores of the reclassifier.
        detectors: As in `evading`; one of them must reject the image.
        label: True class of every image that the result will be given.
    """
    return _both(model, detectors, label, sign=-1)


def weighing(model: Model, detectors: Sequence[Detector], label: int, weight: float) -> Model:
    """Logits in which the label is lifted by how far an image is beyond the thresholds, weighted.

    Other than in `evading` the two goals pull at once, each as strongly as the weight says. While an image is
    rejected its margin stays at or below what is missing to the thresholds, by a lift that has no gradient:
    an attack that stops at success goes on.

    Args:
        model: Images to logits.
        detectors: As in `evading`.
        label: True class of every image that the result will be given.
        weight: Of the suspicion beside the margin.
    """
    _check_thresholds(detectors)

    def logits(images: Images) -> Logits:
        images = _once(images)
        plain, doubt = _checked(model(images), label), suspicion(images, detectors)
        weighed = plain[:, label] + weight * doubt.clamp_min(0)
        needed = torch.where(doubt > 0, _others(plain, label) + doubt, weighed)
        return _with(plain, label, weighed + (needed - weighed).clamp_min(0).detach())

    return logits


def _both(model: Model, detectors: Sequence[Detector], label: int, sign: int) -> Model:
    """The label's logit lifted to where the suspicion, or its opposite, leaves no margin."""
    _check_thresholds(detectors)

    def logits(images: Images) -> Logits:
        images = _once(images)
        plain = _checked(model(images), label)
        needed = _others(plain, label) + sign * suspicion(images, detectors)
        return _with(plain, label, torch.maximum(plain[:, label], needed))

    return logits


def suspicion(images: Images, detectors: Sequence[Detector]) -> Scores:
    """How far each image is beyond the strictest detector's threshold: above 0 when rejected, else below.

    In thresholds, through asinh: its slope never vanishes, so an image far beyond the threshold still
    has a gradient after a softmax.
    """
    return torch.stack([_excess(images, detector) for detector in detectors]).amax(dim=0)


def _once(images: Images) -> Images:
    """The images as a step of this pass's graph: what encodes them for one part has done it for all.

    See `autoencoders.remembered`.
    """
    return images.view_as(images)


def _check_thresholds(detectors: Sequence[Detector]) -> None:
    for detector in detectors:
        if not detector.threshold.isfinite():
            raise InputError(
                f"detector {detector.name} has no threshold; call its calibrate with clean images"
            )


def _checked(logits: Logits, label: int) -> Logits:
    if label >= logits.shape[1]:
        raise InputError(f"label must lie in [0, {logits.shape[1]}), got {label}; labels count from 0")
    return logits


def _others(logits: Logits, label: int) -> Scores:
    """The largest logit of another class."""
    return torch.cat([logits[:, :label], logits[:, label + 1 :]], dim=1).amax(dim=1)


def _with(logits: Logits, label: int, lifted: Scores) -> Logits:
    return torch.cat([logits[:, :label], lifted[:, None], logits[:, label + 1 :]], dim=1)


def _excess(images: Images, detector: Detector) -> Scores:
    scores, threshold = detector(images), detector.threshold
    excess = torch.asinh((scores - threshold) / torch.where(threshold == 0, 1, threshold.abs()))
    return torch.where(scores <= threshold, excess - CLEAR, excess + CLEAR)
