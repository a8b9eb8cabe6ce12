"""The ensemble beside the mean written out."""

import weakref
from typing import ClassVar, final

import pytest
import torch

from purifold.defenses.base import Purifier
from purifold.defenses.ensemble import Ensemble
from purifold.errors import InputError


@final
class Scale(Purifier):
    """Multiplies by a factor; its surrogate by another."""

    name: ClassVar[str] = "scale"

    def __init__(self, factor, other, *, stochastic=False, differentiable=True):
        super().__init__()
        self.factor, self.other = factor, other
        self.stochastic, self.differentiable = stochastic, differentiable

    def forward(self, images):
        return images * self.factor

    def surrogate(self, images):
        return images * self.other

    @classmethod
    def example(cls, channels, size):
        return cls(0.5, 0.5)


def test_the_ensemble_is_the_pixelwise_mean_and_its_surrogate_the_mean_of_surrogates():
    images = torch.rand(4, 3, 5, 5)
    ensemble = Ensemble([Scale(0.1, 1.0), Scale(0.2, 0.5), Scale(0.9, 0.0)])
    assert torch.allclose(ensemble(images), 0.4 * images)
    assert torch.allclose(ensemble.surrogate(images), 0.5 * images)


def test_one_purifier_is_its_own_ensemble():
    images = torch.rand(4, 1, 5, 5)
    assert torch.equal(Ensemble([Scale(0.7, 0.7)])(images), images * 0.7)


def test_what_a_member_made_is_let_go_before_the_one_after_the_next():
    alive, most = set(), 0

    class Counted(Purifier):
        """Counts the images that it made and that are still there."""

        name: ClassVar[str] = "counted"
        stochastic, differentiable = False, True

        def forward(self, images):
            nonlocal most
            made = images / 2
            alive.add(made.data_ptr())
            weakref.finalize(made, alive.discard, made.data_ptr())
            most = max(most, len(alive))
            return made

        @classmethod
        def example(cls, channels, size):
            return cls()

    Ensemble([Counted() for _ in range(5)])(torch.rand(1, 3, 8, 8))
    assert most <= 2


@pytest.mark.parametrize(
    ("claims", "stochastic", "differentiable"),
    [
        ([(False, True), (False, True)], False, True),
        ([(False, True), (True, True)], True, True),
        ([(False, False), (False, True)], False, False),
        ([(True, False), (False, False)], True, False),
    ],
)
def test_it_is_stochastic_where_any_member_is_and_differentiable_where_all_are(
    claims, stochastic, differentiable
):
    members = [Scale(0.5, 0.5, stochastic=first, differentiable=second) for first, second in claims]
    ensemble = Ensemble(members)
    assert (ensemble.stochastic, ensemble.differentiable) == (stochastic, differentiable)


def test_the_mean_of_white_images_does_not_exceed_one():
    images = torch.ones(1, 1, 4, 4)
    for count in range(1, 40):
        assert Ensemble([Scale(1.0, 1.0) for _ in range(count)])(images).max() <= 1


def test_an_ensemble_of_nothing_is_refused():
    with pytest.raises(InputError, match="purifiers must hold at least one purifier"):
        Ensemble([])
