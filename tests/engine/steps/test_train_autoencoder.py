"""A trained autoencoder: its loss falls, and its curves have an entry an epoch."""

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.engine.steps.train_autoencoder import TrainAutoencoder
from purifold.engine.steps.training import read_history
from purifold.training.config import TrainingConfig

CONFIG = TrainingConfig(epochs=3, optimizer="adam", learning_rate=3e-3)


def test_an_autoencoder_learns_and_its_curves_have_an_entry_an_epoch(data, finished):
    spec = AutoencoderSpec(kind="plain", network="ae-robustness", latent=8)
    step = TrainAutoencoder(data=data, images=1_100, spec=spec, config=CONFIG, seed=0)
    store, _ = finished(step)
    history = read_history(store.fetch(step))
    assert len(history["train_loss"]) == len(history["validation_loss"]) == 3
    assert history["train_loss"][-1] < history["train_loss"][0]
