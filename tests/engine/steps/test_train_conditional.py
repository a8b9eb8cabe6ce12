"""A trained class-conditional autoencoder: what its source saw in it, others see, too."""

import torch

from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.engine.step import Resources
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.steps.train_conditional import TrainConditional
from purifold.engine.steps.training import read_history
from purifold.training.config import TrainingConfig

CONFIG = TrainingConfig(epochs=3, optimizer="adam", learning_rate=3e-3)


def test_a_conditional_autoencoder_learns_what_its_source_tells_apart(data, finished):
    source = TrainClassifier(data=data, images=1_100, network="small-cnn", config=CONFIG, seed=2)
    step = TrainConditional(
        data=data, images=1_100, spec=ConditionalSpec(latent=4), source=source, config=CONFIG, seed=0
    )
    store, bench = finished(source, step)
    history = read_history(store.fetch(step))
    assert history["train_loss"][-1] < history["train_loss"][0]
    test = data.part("test", Resources(), 100)
    purified = step.load(bench).reconstruct(test.images(), test.labels)
    seeing = source.load(bench)
    with torch.no_grad():
        assert (seeing(purified).argmax(dim=1) == test.labels).float().mean() > 0.5  # chance is 0.1
