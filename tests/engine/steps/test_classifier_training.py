"""The accuracy beside a classifier's weights: counted by hand, whatever the batches, and read as written."""

import pytest
import torch
from torch import nn

from purifold import batches
from purifold.data.split import Split
from purifold.engine.step import Resources
from purifold.engine.steps.classifier_training import accuracy, read_accuracy
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.store import Store
from purifold.evaluation.intervals import Proportion


@pytest.fixture
def brightness():
    """Ten images whose brightness is their place; class 1 from the fifth on, but for two that lie."""
    pixels = torch.arange(10, dtype=torch.uint8).mul(20)[:, None, None, None].expand(-1, 1, 2, 2)
    labels = (torch.arange(10) >= 5).long()
    labels[[0, 9]] = 1 - labels[[0, 9]]
    return Split("brightness", pixels.contiguous(), labels, ("dark", "bright"))


class Reader(nn.Module):
    """Tells bright images from dark ones."""

    def forward(self, images):
        bright = images.mean(dim=(1, 2, 3)) > 90 / 255
        return torch.stack([~bright, bright], dim=1).float()


class Zero(nn.Module):
    """Takes every image for a 0."""

    def forward(self, images):
        return torch.eye(10)[:1].expand(len(images), -1)


@pytest.mark.parametrize("batch", [256, 3])
def test_each_image_counts_once_in_batches_of_any_size(brightness, batch, monkeypatch):
    monkeypatch.setattr(batches, "ON_CPU", (batch, 2**19))
    assert accuracy(Reader(), brightness) == Proportion(8, 10)


def test_what_is_written_is_of_the_test_images_and_is_read_again(data, tiny, bench, tmp_path):
    settings = tiny().classifier(1100)
    step = TrainClassifier(data=data, images=1100, network="mlp", config=settings, seed=0)
    step.judged(Zero(), bench(tmp_path, Store(tmp_path / "store"), ()))
    test = data.load(Resources()).test
    assert read_accuracy(tmp_path) == Proportion(int((test.labels == 0).sum()), len(test))
