"""The steps that look into latent spaces find what the autoencoder itself says."""

import numpy as np
import pytest
import torch

from purifold.engine.compose import Question, compose
from purifold.engine.local import run
from purifold.engine.scale import Scale
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.codes import Codes, Shift, read_extent, read_shift
from purifold.engine.store import Store
from purifold.threat import ThreatModel

TINY = Scale(
    name="smoke", images=12, seen=5_500, encoded=11_000, epochs=5, draws=2, eot=2, audit=4, played=1_000
)
HERE = Resources()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Store, experiment, and the trained autoencoder of a VAE on the digits."""
    store = Store(tmp_path_factory.mktemp("store"))
    question = Question(data="digits", defenses=("vae",), attacks=("fgsm",), epsilons=(0.3,))
    (experiment,) = compose(question, TINY, HERE)
    (step,) = experiment.system.autoencoders
    craft = experiment.crafts("adaptive", ThreatModel("linf", 0.3))[0]
    codes, shift = Codes(autoencoder=step), Shift(autoencoder=step, craft=craft)
    run([codes, shift], store, HERE)
    folder = tmp_path_factory.mktemp("bench")
    fetched = {part.key: store.fetch(part) for part in (step, craft)}
    place = Workbench(
        folder=folder, scratch_at=folder, resources=HERE, fetched=fetched, report=lambda fraction, note: None
    )
    return store, codes, shift, step.load(place), step.data.part("test", HERE), craft.load(place)


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
