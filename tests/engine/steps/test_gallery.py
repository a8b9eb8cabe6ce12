"""The gallery: the first test images, as submitted within the budget and as the system sees them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from purifold.engine.step import Resources
from purifold.engine.steps.gallery import GALLERY, pixels, read_gallery


@pytest.fixture(scope="module")
def shown(tiny, composed, finished):
    """Pictures, their step, and a bench with all that it needs; DeepFool knows no budget."""
    scale = tiny(images=12, seen=11_000, epochs=10)
    (experiment,) = composed(scale, defenses=("blur",), attacks=("deepfool",), norm="l2", epsilons=(0.4,))
    gallery = replace(experiment, pictures=6).shown
    store, bench = finished(gallery, *gallery.crafts, *experiment.trainings())
    return read_gallery(store.fetch(gallery) / GALLERY), gallery, bench


@pytest.mark.parametrize("off", [-0.4, 0.0, 0.4])
def test_a_pixel_becomes_the_nearest_byte(off):
    levels = torch.arange(256).add(off).div(255).clamp(0, 1).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    found = pixels(levels)
    assert found.shape == (2, 16, 16, 3)
    assert (found[1, ..., 2].ravel() == np.arange(256)).all()


def test_what_is_shown_is_submitted_purified_and_answered_by_the_system(shown):
    found, gallery, bench = shown
    split = gallery.system.data.part("test", Resources(), 12).first(6)
    defended = gallery.system.build(bench)
    assert list(found.shown) == ["clean", "deepfool, oblivious", "deepfool, adaptive"]
    assert found.labels.tolist() == split.labels.tolist()
    assert found.classes == split.classes
    submitted = [split.images()]
    for craft in gallery.crafts:
        attacked = craft.load(bench)[:6]
        length = (attacked - split.images()).flatten(1).norm(dim=1)
        kept = length <= 0.4 + 1e-6
        assert 0 < kept.sum() < 6  # so that both kinds are looked at
        submitted.append(torch.where(kept[:, None, None, None], attacked, split.images()))
    for images, one in zip(submitted, found.shown.values(), strict=True):
        assert (one.images == pixels(images)).all()
        assert (one.purified == pixels(defended.purifier(images))).all()
        assert (one.predicted == defended.predict(images).numpy()).all()
