"""A trained classifier: its accuracy is that of its weights, and its name says how it was made."""

from dataclasses import replace

import pytest
import torch

from purifold.engine.step import Resources
from purifold.engine.steps.classifier_training import read_accuracy
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.training.config import TrainingConfig

CONFIG = TrainingConfig(epochs=3, optimizer="adam", learning_rate=3e-3)


@pytest.fixture(scope="module")
def step(data):
    return TrainClassifier(data=data, images=1_100, network="small-cnn", config=CONFIG, seed=0)


def test_the_accuracy_beside_a_classifier_is_that_of_its_weights_on_all_test_images(step, finished):
    store, bench = finished(step)
    classifier, test = step.load(bench), step.data.part("test", Resources())
    with torch.no_grad():
        right = (classifier(test.images()).argmax(dim=1) == test.labels).sum().item()
    found = read_accuracy(store.fetch(step))
    assert (found.successes, found.trials) == (right, 497)
    assert found.value > 0.7  # far above the 0.1 of chance: these are trained weights
    assert not classifier.training


def test_the_seed_and_the_images_are_part_of_the_name(step):
    others = [replace(step, seed=1), replace(step, images=500), replace(step, network="mlp")]
    assert len({step.key, *(other.key for other in others)}) == 4
    assert replace(step).key == step.key
