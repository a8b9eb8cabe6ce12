"""Adversarial training: the hardened classifier answers, and is trained as its name says."""

import pytest
import torch
from torch import nn

from purifold.defenses.recipe import parse


def constant(label):
    """A classifier of one answer."""
    layer = nn.Linear(4, 3)
    nn.init.zeros_(layer.weight)
    layer.bias.data = nn.functional.one_hot(torch.tensor(label), 3).float()
    return nn.Sequential(nn.Flatten(), layer).eval()


@pytest.mark.parametrize("name", ["adversarial-fgsm", "adversarial-pgd"])
def test_the_hardened_classifier_answers_in_place_of_the_bare_one(name):
    system = parse(name).build(constant(0), [constant(2)])
    assert system.predict(torch.rand(5, 1, 2, 2)).tolist() == [2] * 5
    assert system.purifier is None
    assert not system.detectors


@pytest.mark.parametrize(
    ("text", "method", "epsilon", "share"),
    [
        ("adversarial-fgsm", "fgsm", 0.3, 0.5),  # Goodfellow et al.: half of the loss
        ("adversarial-pgd", "pgd", 0.3, 1.0),  # Madry et al.: all of it
        ("adversarial-pgd:epsilon=0.1,share=0.25", "pgd", 0.1, 0.25),
    ],
)
def test_it_is_trained_as_its_source_says_at_the_largest_budget_unless_told_otherwise(
    text, method, epsilon, share
):
    (spec,) = parse(text).specs(classifier="mlp", epsilon=0.3)
    assert (spec.classifier, spec.method, spec.epsilon, spec.share) == ("mlp", method, epsilon, share)
