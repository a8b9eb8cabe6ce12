"""Where patches lie and what they count: beside positions and sums written out, and torch's fold."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from purifold.defenses import tiling
from purifold.defenses.tiling import WINDOWS, Tiling, shares, starts

lengths = st.integers(1, 40).flatmap(
    lambda patch: st.tuples(st.integers(patch, 120), st.just(patch), st.integers(1, patch))
)


@pytest.mark.parametrize(
    ("length", "patch", "stride", "expected"),
    [
        (299, 16, 16, [*range(0, 273, 16), 283]),
        (299, 64, 32, [*range(0, 225, 32), 235]),
        (32, 16, 16, [0, 16]),
        (7, 7, 3, [0]),
        (8, 7, 3, [0, 1]),
    ],
)
def test_patches_stand_every_stride_and_flush_with_the_end(length, patch, stride, expected):
    assert starts(length, patch, stride) == expected


@settings(deadline=None)
@given(lengths)
def test_every_pixel_is_covered_and_no_patch_leaves_the_image(case):
    length, patch, _ = case
    covered = {pixel for start in starts(*case) for pixel in range(start, start + patch)}
    assert covered == set(range(length))


@settings(deadline=None)
@given(lengths, st.sampled_from(WINDOWS))
def test_what_patches_count_adds_up_to_one_at_every_pixel(case, window):
    length, patch, stride = case
    total = torch.zeros(length, dtype=torch.float64)
    for start, weights in zip(starts(*case), shares(length, patch, stride, window), strict=True):
        assert (weights > 0).all()
        total[start : start + patch] += weights
    torch.testing.assert_close(total, torch.ones(length, dtype=torch.float64), atol=1e-12, rtol=0)


def test_uniform_shares_are_one_over_how_many_patches_cover_a_pixel():
    assert shares(7, 4, 3, "uniform").tolist() == [[1, 1, 1, 0.5], [0.5, 1, 1, 1]]


def test_a_patch_of_a_smooth_window_counts_most_in_its_middle():
    middle = shares(200, 16, 8, "hann")[10]
    # sin^2 and its neighbour, half a patch on, which is cos^2: their sum is 1
    expected = torch.sin(torch.pi * (torch.arange(16).double() + 0.5) / 16) ** 2
    torch.testing.assert_close(middle, expected)


@pytest.mark.parametrize(("patch", "stride", "sides"), [(4, 2, (12, 16)), (5, 5, (10, 20)), (3, 1, (9, 8))])
def test_cutting_and_adding_are_torch_s_unfold_and_fold(patch, stride, sides):
    images = torch.rand(3, 2, *sides)
    rebuilt, cut = torch.zeros_like(images), []
    for portion in Tiling(patch=patch, stride=stride).portions(images):
        cut.append(portion.cut(images))
        portion.add(portion.cut(images), rebuilt)
    columns = F.unfold(images, patch, stride=stride)
    assert torch.allclose(rebuilt, F.fold(columns, sides, patch, stride=stride))
    expected = columns.unflatten(1, (2, patch, patch)).movedim(-1, 0).flatten(0, 1)
    assert torch.equal(torch.cat(cut), expected)


@pytest.mark.parametrize(("patch", "most"), [(16, 128), (32, 32), (64, 32), (128, 8), (512, 1)])
def test_a_portion_of_large_patches_holds_more_pixels_but_a_bounded_number(patch, most):
    images = torch.zeros(1).expand(200, 1, patch, patch)
    sizes = [len(portion.cut(images)) for portion in Tiling(patch=patch, stride=patch).portions(images)]
    assert max(sizes) == most
    assert sum(sizes) == 200


@pytest.mark.parametrize("count", [1, 3, 70])
def test_a_portion_holds_a_bounded_number_of_pixels(monkeypatch, count):
    monkeypatch.setattr(tiling, "PORTION", 64 * 16)
    monkeypatch.setattr(tiling, "LEAST", 1)
    images = torch.rand(count, 1, 23, 31)
    sizes = [len(portion.cut(images)) for portion in Tiling(patch=4, stride=2).portions(images)]
    assert max(sizes) <= 64
    assert sum(sizes) == count * len(starts(23, 4, 2)) * len(starts(31, 4, 2))
