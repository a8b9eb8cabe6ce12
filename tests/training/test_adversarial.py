"""Adversarial training: the loss against its parts, and a classifier that becomes harder to attack."""

import pytest
import torch
from torch import nn

from purifold.errors import InputError
from purifold.losses import cross_entropy
from purifold.randomness import seeded
from purifold.training.adversarial import AdversarialSpec, adversarial_loss

LABELS = torch.tensor([0, 1, 2])


@pytest.fixture
def classifier():
    with seeded(0):
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 3))


def photos():
    return torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(1))


def brightened(images, labels):
    return (images + 0.3).clamp(0, 1)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_loss_weighs_attacked_and_clean_images(classifier, share):
    classifier.eval()
    images = photos()
    loss = adversarial_loss(classifier, images, LABELS, brightened, share)
    clean = cross_entropy(classifier(images), LABELS)
    hostile = cross_entropy(classifier(brightened(images, LABELS)), LABELS)
    torch.testing.assert_close(loss, (1 - share) * clean + share * hostile)


@pytest.mark.parametrize("training", [True, False])
def test_the_attack_sees_the_deployed_classifier_and_the_mode_is_put_back(classifier, training):
    classifier.train(training)
    modes = []

    def watched(images, labels):
        modes.append(classifier.training)
        return images

    adversarial_loss(classifier, photos(), LABELS, watched, 0.5)
    assert modes == [False]
    assert classifier.training is training


@pytest.mark.parametrize("wrong", [{"epsilon": 0.0}, {"steps": 0}, {"share": 0.0}, {"share": 1.5}])
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        AdversarialSpec(**{"classifier": "mlp", "epsilon": 0.1} | wrong)
