"""Portions through a purifier: gradients with each one's own draws, those of weights, range, memory."""

import pytest
import torch

from purifold.defenses import streaming, tiling
from purifold.defenses.streaming import streamed
from purifold.defenses.tiling import Tiling
from purifold.randomness import seeded

TILING = Tiling(patch=4, stride=3)


@pytest.fixture(autouse=True, params=[0, streaming.HELD], ids=["again", "held"])
def held(request, monkeypatch):
    """Three patches a portion; how many pixels' graphs are kept."""
    monkeypatch.setattr(tiling, "PORTION", 3 * 16)
    monkeypatch.setattr(tiling, "LEAST", 1)
    monkeypatch.setattr(streaming, "HELD", request.param)
    return request.param


def photos():
    return torch.rand(2, 1, 10, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_what_gives_patches_back_leaves_the_images_and_lets_their_gradient_through():
    images = photos().requires_grad_()
    found = streamed(images, TILING, lambda patches: patches)
    torch.testing.assert_close(found, images)
    scores = torch.randn(images.shape, dtype=images.dtype)
    (gradient,) = torch.autograd.grad((scores * found).sum(), images)
    torch.testing.assert_close(gradient, scores)


def test_a_weight_s_gradient_is_added_up_over_all_portions():
    scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    images = photos()
    found = streamed(images, TILING, lambda patches: scale * patches, [scale])
    (gradient,) = torch.autograd.grad(found.sum(), scale)
    torch.testing.assert_close(gradient, images.sum())  # the shares of patches add up to one a pixel


def test_each_portion_meets_the_draws_of_its_own_backwards(held):
    drawn = []

    def noisy(patches):
        drawn.append(torch.rand_like(patches))
        return patches * drawn[-1]

    images = photos().requires_grad_()
    with seeded(1):
        found = streamed(images, TILING, noisy)
        forward = list(drawn)
        drawn.clear()
        torch.rand(3)  # the generator has moved on
        state = torch.get_rng_state()
        torch.autograd.grad(found.sum(), images)
        assert torch.equal(torch.get_rng_state(), state)
    assert len(forward) > 2
    assert len(drawn) == (0 if held else len(forward))
    assert all(map(torch.equal, forward, drawn))


def test_a_second_gradient_is_the_first():
    images = photos().requires_grad_()
    found = streamed(images, TILING, lambda patches: patches * torch.rand_like(patches)).sum()
    once = torch.autograd.grad(found, images, retain_graph=True)
    assert torch.equal(torch.autograd.grad(found, images)[0], once[0])


@pytest.mark.parametrize(("spare", "times"), [(0, 1), (-1, 2)])
def test_the_graph_of_so_many_pixels_is_kept_and_of_no_more(monkeypatch, spare, times):
    pixels, seen = TILING.pixels(photos()), []
    assert pixels == 2 * 3 * 2 * 16  # images, rows, columns, a patch
    monkeypatch.setattr(streaming, "HELD", pixels + spare)
    images = photos().requires_grad_()
    streamed(images, TILING, lambda patches: seen.append(len(patches)) or patches).sum().backward()
    assert sum(seen) * 16 == times * pixels


@pytest.mark.parametrize("asked", [False, True])
def test_without_a_gradient_each_patch_goes_through_once_and_leaves_no_graph(asked):
    seen = []
    with torch.set_grad_enabled(not asked):
        streamed(photos().requires_grad_(asked), TILING, lambda patches: seen.append(patches) or patches)
    assert sum(map(len, seen)) == 2 * 3 * 2  # images, rows, columns
    assert max(map(len, seen)) <= 3
    assert not any(patches.requires_grad for patches in seen)


def test_rounding_above_one_is_cut_and_keeps_its_gradient():
    images = torch.ones(1, 1, 4, 4, requires_grad=True)
    found = streamed(images, TILING, lambda patches: patches * (1 + 1e-6))
    assert torch.equal(found, torch.ones(1, 1, 4, 4))
    (gradient,) = torch.autograd.grad(found.sum(), images)
    torch.testing.assert_close(gradient, torch.full((1, 1, 4, 4), 1 + 1e-6))
