"""What climbing attacks share: where they start, and what they keep of what they met."""

import pytest
import torch

from purifold.attacks.ascent import Best, check_climb, somewhere
from purifold.attacks.base import Goal
from purifold.errors import InputError
from purifold.randomness import ImageNoise
from purifold.threat import ThreatModel


def images(count):
    """Different ones: an image's noise follows from its pixels."""
    generator = torch.Generator().manual_seed(1)
    return 0.4 + 0.2 * torch.rand(count, 1, 2, 2, generator=generator, dtype=torch.float64)


def starts(norm, count=4000):
    clean = images(count)
    return (somewhere(clean, ThreatModel(norm, 0.2), ImageNoise.of(clean, 0)) - clean).flatten(1)


def test_starts_fill_the_box_evenly():
    """The largest of 4 uniform pixels is 4/5 of the way on average, a pixel 0."""
    found = starts("linf")
    assert found.abs().amax() <= 0.2 + 1e-12
    assert found.abs().amax(dim=1).mean() == pytest.approx(0.2 * 4 / 5, rel=0.02)
    assert found.mean(dim=0).abs().max() < 0.01


def test_starts_fill_the_ball_evenly():
    """In 4 dimensions a uniform point is 4/5 of the radius away on average."""
    lengths = starts("l2").norm(dim=1)
    assert lengths.max() <= 0.2 + 1e-12
    assert lengths.mean() == pytest.approx(0.2 * 4 / 5, rel=0.02)


def test_the_iterate_of_the_largest_margin_is_kept_row_by_row():
    clean = images(3)
    best = Best(clean, Goal(torch.zeros(3, dtype=torch.long)))
    rows = torch.tensor([0, 2])
    best.offer(rows, clean[rows] + 0.1, torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double())
    best.offer(rows, clean[rows] + 0.2, torch.tensor([[0.0, 0.5], [0.0, 2.0]]).double())
    assert torch.allclose(best.images, clean + torch.tensor([0.1, 0.0, 0.2]).double()[:, None, None, None])
    assert torch.allclose(best.margins, torch.tensor([1.0, -torch.inf, 2.0]).double())
    assert best.within(0.0).tolist() == [False, True, False]
    assert best.within(1.5).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0, True, "margin"), "restarts"),
        ((2, False, "margin"), "all would be the same"),
        ((1, True, "marign"), "did you mean 'margin'"),
    ],
)
def test_what_cannot_run_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        check_climb(*settings)
