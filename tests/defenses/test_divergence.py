import math

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch import nn

from purifold.defenses.divergence import Divergence
from purifold.errors import InputError


class Halving:
    """Reconstructs every image at half its brightness."""

    def reconstruct(self, images):
        return images / 2


@pytest.fixture
def images():
    return torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def classifier():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 5)).double().eval()


@pytest.mark.parametrize("temperature", [0.05, 1.0, 10.0, 40.0])
def test_the_score_is_scipys_divergence_of_the_two_softmaxes(images, classifier, temperature):
    found = Divergence(classifier, Halving(), temperature=temperature)(images)
    before, after = (
        (classifier(seen) / temperature).softmax(dim=1).detach().numpy() for seen in (images, images / 2)
    )
    expected = torch.tensor([jensenshannon(p, q) ** 2 for p, q in zip(before, after, strict=True)])
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-12)


def test_answers_that_share_no_class_are_log_2_apart_and_keep_a_gradient(images):
    class Sure(nn.Module):
        def forward(self, images):
            bright = 1e4 * (images.flatten(1).mean(dim=1) - 0.4)
            return torch.stack([bright, -bright], dim=1)

    images = (0.6 + 0 * images).requires_grad_()
    found = Divergence(Sure().eval(), Halving(), temperature=1.0)(images)
    torch.testing.assert_close(found, torch.full_like(found, math.log(2)))
    (gradient,) = torch.autograd.grad(found.sum(), images)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf")])
def test_a_temperature_that_is_none_is_refused(classifier, temperature):
    with pytest.raises(InputError, match="temperature must be above 0 and finite"):
        Divergence(classifier, Halving(), temperature=temperature)
