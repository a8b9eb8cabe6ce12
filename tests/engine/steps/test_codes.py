"""The steps that look into latent spaces find what the autoencoder itself says."""

import numpy as np
import pytest
import torch

from purifold.engine.step import Resources
from purifold.engine.steps.codes import Codes, Shift, read_extent, read_shift
from purifold.threat import ThreatModel


@pytest.fixture(scope="module")
def made(tiny, composed, finished):
    """Store, steps, and the trained autoencoder of a VAE on the digits."""
    scale = tiny(images=12, seen=5_500, encoded=11_000, epochs=5)
    (experiment,) = composed(scale, defenses=("vae",), attacks=("fgsm",), epsilons=(0.3,))
    (step,) = experiment.system.autoencoders
    craft = experiment.crafts("adaptive", ThreatModel("linf", 0.3))[0]
    codes, shift = Codes(autoencoder=step), Shift(autoencoder=step, craft=craft)
    store, bench = finished(codes, shift, step, craft)
    return store, codes, shift, step.load(bench), step.data.part("test", Resources()), craft.load(bench)


@torch.no_grad()
def test_the_extent_is_that_of_all_test_images(made):
    store, codes, _, autoencoder, test, _ = made
    latent = autoencoder.encode(test.images()).double()
    found = read_extent(store.fetch(codes))
    assert found.images == 497
    assert found.diameter == pytest.approx(float(torch.pdist(latent).max()), rel=1e-5)
    assert found.variances == pytest.approx(latent.var(dim=0).tolist(), rel=1e-4)
    assert found.active == int((latent.var(dim=0) > 0.01).sum())


@torch.no_grad()
def test_the_shift_is_that_of_each_attacked_image(made):
    store, _, shift, autoencoder, test, attacked = made
    clean = autoencoder.encode(test.sample(12).images()).double().numpy()
    moved = autoencoder.encode(attacked).double().numpy()
    lengths = np.linalg.norm(clean, axis=1), np.linalg.norm(moved, axis=1)
    cosine, ratio = read_shift(store.fetch(shift))
    assert cosine == pytest.approx((clean * moved).sum(axis=1) / lengths[0] / lengths[1], abs=1e-5)
    assert ratio == pytest.approx(lengths[1] / lengths[0], rel=1e-4)
    assert (ratio != 1).any()
