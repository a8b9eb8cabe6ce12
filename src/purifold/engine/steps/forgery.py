"""The step that forges: images that encoder and decoder both take for a class that they are not.

Ghosh, Losalka and Black, 2019 (`gm-vae`), equation 10 (from test images) and equation 11 (from noise).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch

from purifold.attacks.descent import Descent
from purifold.data.split import Split
from purifold.defenses.base import REJECTED
from purifold.engine.step import Step, Workbench
from purifold.engine.steps.gallery import pixels
from purifold.engine.steps.system import System
from purifold.evaluation.conflict import Conflict
from purifold.types import Images, Labels

FORGED, PICTURES = "forged.json", "forged.npz"
SPARE = 2
"""Times the images that are needed which are looked at for them."""
SHOWN = 10
"""Classes sought of which a picture is kept."""


@final
@dataclass(frozen=True)
class Forged:
    """What became of forgeries; each counts once.

    Args:
        tried: Pairs of an image and a class sought.
        target: Accepted as the class sought.
        wrong: Accepted as a third class.
        right: Accepted as what the image is; noise is nothing.
        rejected: Turned away.
        distance: Mean L2 distance of what was accepted and wrong to its start; 0 where there is none.
    """

    tried: int
    target: int
    wrong: int
    right: int
    rejected: int
    distance: float


@final
@dataclass(frozen=True, kw_only=True)
class Forgery(Step):
    """A descent for each image and each other class.

    Args:
        system: With both detectors of a Gaussian-mixture VAE.
        each: Of the first test images of each class that are not accepted as another one as they are; or of
            noise, images for each class sought.
        rubbish: From uniform noise (equation 11) instead of images (equation 10).
        descents: Tried one after another until a forgery is accepted and wrong. They differ in what the
            paper does not say, to the attacker's advantage.
        seed: Of the noise.
    """

    kind: ClassVar[str] = "forgery"
    version: ClassVar[int] = 2

    system: System
    each: int
    rubbish: bool
    descents: tuple[Descent, ...]
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        source = "noise" if self.rubbish else "images"
        return f"forgeries from {source} for {self.system.defense}, {self.system.subject}"

    def run(self, bench: Workbench) -> None:
        """Forges for one class sought after another; see `Step.run`."""
        conflict = Conflict(self.system.build(bench))
        found: list[_Forgeries] = []
        starts = tuple(self._starts(self.system.data.part("test", bench.resources), conflict))
        for target, (images, labels) in enumerate(starts):
            found.append(self._forged(conflict, images, labels, target))
            bench.progress((target + 1) / len(starts), f"class {target + 1}/{len(starts)}")
        (bench.folder / FORGED).write_text(json.dumps(asdict(_counted(found))))
        _write_pictures(bench.folder / PICTURES, conflict, found[:SHOWN])

    def _starts(self, test: Split, conflict: Conflict) -> Iterator[tuple[Images, Labels]]:
        """For each class sought images that are not of it, with their classes; noise is of none."""
        generator = torch.Generator().manual_seed(self.seed)
        chosen = first_of_each(_unforged(test, SPARE * self.each, conflict), self.each)
        for target in range(len(test.classes)):
            if self.rubbish:
                noise = torch.rand(self.each, *test.shape, generator=generator).to(test.pixels.device)
                yield noise, torch.full((self.each,), REJECTED, device=noise.device)
            else:
                others = chosen.select(chosen.labels != target)
                yield others.images(), others.labels.long()

    def _forged(self, conflict: Conflict, images: Images, labels: Labels, target: int) -> "_Forgeries":
        forged, missing = images.clone(), torch.arange(len(images), device=images.device)
        for descent in self.descents:
            made, success = descent(
                conflict.penalty(target), conflict.fooled(labels[missing]), images[missing]
            )
            forged[missing] = made
            missing = missing[~success]
            if not len(missing):
                break
        answers = conflict.defended.predict(forged)
        return _Forgeries(images, labels, target, forged, answers)


@final
@dataclass(frozen=True, eq=False)
class _Forgeries:
    """Of one class sought."""

    images: Images
    labels: Labels
    target: int
    forged: Images
    answers: Labels


def read_forged(folder: Path) -> Forged:
    """The counts in an artefact of `Forgery`."""
    return Forged(**json.loads((folder / FORGED).read_text()))


def read_forged_pictures(folder: Path) -> dict[str, np.ndarray]:
    """The first forgery for each class sought: images, forged, decoded (uint8), labels, targets, answers."""
    with np.load(folder / PICTURES, allow_pickle=False) as arrays:
        return dict(arrays)


def first_of_each(split: Split, each: int) -> Split:
    """The first images of every class, or all where there are fewer."""
    rows = [(split.labels == label).nonzero().squeeze(1)[:each] for label in range(len(split.classes))]
    return split.select(torch.cat(rows))


def _unforged(split: Split, each: int, conflict: Conflict) -> Split:
    """Of the first images of every class those that are not accepted as another one as they are."""
    first = first_of_each(split, each)
    return first.select(~conflict.fooled(first.labels.long())(first.images()))


def _counted(found: Sequence[_Forgeries]) -> Forged:
    answers, labels = (torch.cat([getattr(part, name) for part in found]) for name in ("answers", "labels"))
    targets = torch.cat([torch.full_like(part.labels, part.target) for part in found])
    lengths = torch.cat(
        [torch.linalg.vector_norm((part.forged - part.images).flatten(1), dim=1) for part in found]
    )
    rejected = answers == REJECTED
    right = ~rejected & (answers == labels)
    fooled = ~rejected & ~right
    return Forged(
        tried=len(answers),
        target=int((fooled & (answers == targets)).sum()),
        wrong=int((fooled & (answers != targets)).sum()),
        right=int(right.sum()),
        rejected=int(rejected.sum()),
        distance=float(lengths[fooled].mean()) if fooled.any() else 0.0,
    )


def _write_pictures(path: Path, conflict: Conflict, found: Sequence[_Forgeries]) -> None:
    images, forged, answers, labels = (
        torch.cat([getattr(part, name)[:1] for part in found])
        for name in ("images", "forged", "answers", "labels")
    )
    with torch.no_grad():
        decoded = conflict.autoencoder.reconstruct(forged)
    np.savez_compressed(
        path,
        allow_pickle=False,
        images=pixels(images),
        forged=pixels(forged),
        decoded=pixels(decoded),
        labels=labels.cpu().numpy(),
        targets=np.array([part.target for part in found]),
        answers=answers.cpu().numpy(),
    )
