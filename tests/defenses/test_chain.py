"""The chain beside its purifiers called one after another."""

import pytest
import torch

from purifold.defenses.blur import GaussianBlur
from purifold.defenses.chain import Chain
from purifold.defenses.jpeg import JPEG
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.smoothing import Smoothing
from purifold.errors import InputError


def test_each_purifier_gets_what_the_one_before_it_made():
    images = torch.rand(2, 3, 16, 16)
    first, second = JPEG(quality=10), Smoothing()
    assert torch.equal(Chain([first, second])(images), second(first(images)))
    assert not torch.equal(Chain([second, first])(images), second(first(images)))
    assert torch.equal(Chain([first, second]).surrogate(images), second(images))  # JPEG's is the identity


@pytest.mark.parametrize(
    ("links", "stochastic", "differentiable"),
    [
        ([Smoothing(), GaussianBlur()], False, True),
        ([Smoothing(), JPEG()], False, False),
        ([Smoothing(), Reconstruction.example(1, 8)], True, True),
    ],
)
def test_it_is_stochastic_where_any_link_is_and_differentiable_where_all_are(
    links, stochastic, differentiable
):
    chain = Chain(links)
    assert (chain.stochastic, chain.differentiable) == (stochastic, differentiable)


def test_a_chain_of_nothing_is_refused():
    with pytest.raises(InputError, match="purifiers must hold at least one purifier"):
        Chain([])
