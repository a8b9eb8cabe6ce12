"""Branches: what is shown and counted is what the autoencoder and the system themselves say."""

import numpy as np
import pytest
import torch

from purifold.engine.step import Resources
from purifold.engine.steps.branches import Branches, read_branches

HERE = Resources()


@pytest.fixture(scope="module")
def made(tiny, composed, finished):
    """What was found, the step, and a bench with all that it needs."""
    scale = tiny(images=30, seen=11_000, encoded=5_500, epochs=10)
    (experiment,) = composed(scale, defenses=("puvae",), attacks=("fgsm",), epsilons=(0.3,))
    threat = experiment.judged[0].threat
    craft, known = (experiment.crafts(level, threat)[0] for level in ("oblivious", "adaptive"))
    step = Branches(system=experiment.system, craft=craft, known=known, seed=0)
    store, bench = finished(step, *experiment.trainings(), craft, known)
    return read_branches(store.fetch(step)), step, bench


@torch.no_grad()
def test_the_nearest_of_all_classes(made):
    found, step, place = made
    (training,) = step.system.autoencoders
    autoencoder, adversarial = training.load(place), step.craft.load(place)
    labels = step.system.data.part("test", HERE, step.craft.count).labels.long()
    errors = []
    for label in range(10):
        branch = autoencoder.reconstruct(adversarial, torch.full_like(labels, label))
        errors.append((branch - adversarial).square().flatten(1).sum(dim=1))
        shown = torch.from_numpy(found.branches[label].astype(np.float32)) / 255
        assert (shown.permute(2, 0, 1) - branch[0]).abs().max() < 0.51 / 255 + 1e-5
    nearest = torch.stack(errors).argmin(dim=0)
    assert found.nearest == nearest[0]
    assert found.selected == (nearest == labels).sum()
    assert found.label == labels[0]
    assert found.images == 30


def test_the_system_s_answers_are_counted(made):
    found, step, place = made
    system = step.system.build(place)
    split = step.system.data.part("test", HERE, step.craft.count)
    labels = split.labels.long()
    submitted = (split.images(), step.craft.load(place), step.known.load(place))
    for images, counted in zip(submitted, (found.clean, found.correct, found.known), strict=True):
        right = [int((system.predict(images) == labels).sum()) for _ in range(5)]
        assert min(right) - 3 <= counted <= max(right) + 3  # codes are drawn
