"""A VAE of patches learns from squares of the images it may see, and of no others."""

import pytest
import torch

from purifold.autoencoders.patch_spec import PatchSpec
from purifold.data.split import DataSet
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.train_patches import TrainPatches
from purifold.engine.steps.training import read_history
from purifold.training.config import TrainingConfig

HERE = Resources()
SPEC = PatchSpec(patch=4, latent=12, beta=0.01)


@pytest.fixture(scope="module")
def step():
    config = TrainingConfig(epochs=2, batch_size=64, learning_rate=3e-3, crop=4, visits=32)
    return TrainPatches(data=Data.named("digits", HERE), images=500, spec=SPEC, config=config, seed=0)


def test_it_learns_to_reconstruct_squares(step, tmp_path):
    bench = Workbench(
        folder=tmp_path / "files",
        scratch_at=tmp_path / "scratch",
        resources=HERE,
        fetched={step.key: tmp_path / "files"},
        report=lambda fraction, note: None,
    )
    bench.folder.mkdir()
    step.run(bench)
    autoencoder = step.load(bench)
    assert autoencoder.shape == (1, 4, 4)
    losses = read_history(bench.folder)["validation_loss"]
    assert losses[-1] < losses[0]
    squares = step.data.part("test", HERE).images()[:, :, 2:6, 2:6]
    mean = squares.mean(dim=0, keepdim=True)
    error = (autoencoder.reconstruct(squares) - squares).square().mean()
    assert error < 0.5 * (mean - squares).square().mean()


def test_without_a_training_part_it_sees_the_test_images_that_are_not_attacked(step):
    test = step.data.part("test", HERE)
    whole = DataSet("digits", None, None, test)
    spared = TrainPatches(
        data=step.data, images=100, spec=SPEC, config=step.config, seed=0, spared=len(test) - 120
    )
    seen = spared.examples(whole)
    assert torch.equal(seen.pixels, test.pixels[-120:-20])
    attacked = {image.numpy().tobytes() for image in test.sample(spared.spared).pixels}
    assert not attacked & {image.numpy().tobytes() for image in seen.pixels}
    assert spared.key != step.key
