"""A trained generator: its updates are those of the game."""

import torch

from purifold.autoencoders.generative import GeneratorSpec
from purifold.engine.step import Resources
from purifold.engine.steps.train_generator import TrainGenerator
from purifold.engine.steps.training import read_history
from purifold.training.config import TrainingConfig


def test_a_generator_takes_a_turn_at_every_fifth_batch(data, finished):
    config = TrainingConfig(epochs=2, batch_size=64, learning_rate=3e-4, momentum=0.5)
    spec = GeneratorSpec(latent_size=4, width=2)
    step = TrainGenerator(data=data, images=640, spec=spec, config=config, seed=0)
    store, bench = finished(step)
    model = step.load(bench)
    assert int(model.updates) == 2 * 10
    first = step.build(Resources())
    assert len(read_history(store.fetch(step))["train_loss"]) == 2
    assert not torch.equal(model.generator.layers[0].weight, first.generator.layers[0].weight)
