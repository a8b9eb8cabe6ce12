"""The last answer is given again to the same images alone."""

import copy
import pickle

import pytest
import torch
from torch import nn

from purifold.autoencoders.remembered import Remembered


class Doubling(nn.Module):
    """Doubles, and counts how often it was asked."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.asked = 0

    def forward(self, images):
        self.asked += 1
        return self.factor * images


@pytest.fixture
def network():
    return Doubling().eval()


@torch.no_grad()
def test_the_same_images_are_asked_about_once(network):
    remembered, images = Remembered(), torch.rand(2, 3)
    first, again = remembered(network, images), remembered(network, images)
    assert first is again
    assert network.asked == 1
    assert torch.equal(remembered(network, images.clone()), first)
    assert network.asked == 2


@torch.no_grad()
def test_changed_images_and_changed_weights_are_asked_about_again(network):
    remembered, images = Remembered(), torch.rand(2, 3)
    remembered(network, images)
    images.add_(1)
    assert torch.equal(remembered(network, images), 2 * images)
    network.load_state_dict({"factor": torch.tensor(3.0)})
    assert torch.equal(remembered(network, images), 3 * images)
    assert network.asked == 3


@torch.no_grad()
def test_images_that_are_gone_are_not_mistaken_for_others(network):
    remembered = Remembered()
    for value in range(200):
        answer = remembered(network, torch.full((1,), float(value)))
        assert torch.equal(answer, torch.full((1,), 2.0 * value))


def test_in_a_graph_its_own_steps_are_asked_about_once(network):
    remembered, leaf = Remembered(), torch.rand(2, 3, requires_grad=True)
    for asked in (1, 2):
        images = leaf * 1
        first, again = remembered(network, images), remembered(network, images)
        (gradient,) = torch.autograd.grad((first + 3 * again).sum(), leaf)
        assert torch.equal(gradient, torch.full_like(leaf, 8.0))
        assert network.asked == asked


def test_an_answer_without_a_graph_is_not_given_where_one_is_wanted(network):
    remembered, leaf = Remembered(), torch.rand(2, 3, requires_grad=True)
    images = leaf * 1
    with torch.no_grad():
        remembered(network, images)
    (gradient,) = torch.autograd.grad(remembered(network, images).sum(), leaf)
    assert torch.equal(gradient, torch.full_like(leaf, 2.0))


def test_with_a_leaf_or_in_training_nothing_is_remembered(network):
    remembered, images = Remembered(), torch.rand(2, 3, requires_grad=True)
    with torch.no_grad():
        remembered(network, images)
    (gradient,) = torch.autograd.grad(remembered(network, images).sum(), images)
    assert torch.equal(gradient, torch.full_like(gradient, 2.0))
    network.train()
    with torch.no_grad():
        remembered(network, images)
    assert network.asked == 3


@torch.no_grad()
def test_copies_start_empty(network):
    remembered, images = Remembered(), torch.rand(2, 3)
    remembered(network, images)
    for other in (copy.deepcopy(remembered), pickle.loads(pickle.dumps(remembered))):
        other(network, images)
    assert network.asked == 3
