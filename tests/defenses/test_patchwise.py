"""Patch by patch beside the formula written out: patches, weights, edges, gradients, noise, memory."""

import json
import math
import subprocess
import sys
from typing import ClassVar, final

import pytest
import torch
from torch import nn

from purifold.defenses import streaming, tiling
from purifold.defenses.base import Purifier
from purifold.defenses.jpeg import JPEG
from purifold.defenses.patchwise import Patchwise
from purifold.defenses.reconstruction import Reconstruction
from purifold.errors import InputError
from purifold.randomness import seeded

SIDES = [(17, 23), (16, 16), (5, 40), (29, 8)]


@final
class Mixing(Purifier):
    """A sigmoid of a linear map of the whole patch, with noise on it if asked."""

    name: ClassVar[str] = "mixing"
    differentiable = True

    def __init__(self, channels, patch, *, noise=0.0, seen=None):
        super().__init__()
        self.layer = nn.Linear(channels * patch * patch, channels * patch * patch)
        self.noise, self.seen = noise, [] if seen is None else seen
        self.stochastic = noise > 0

    def forward(self, images):
        self.seen.append(len(images))
        flat = self.layer(images.flatten(1))
        if self.noise:
            flat = flat + self.noise * torch.randn_like(flat)
        return torch.sigmoid(flat).view_as(images)

    @classmethod
    def example(cls, channels, size):
        return cls(channels, size)


def direct(purify, images, patch, stride, window):
    """The formula: a sum of weighted patches over a sum of weights, each patch alone and in its order."""
    ones = torch.ones(patch, dtype=images.dtype)
    fading = torch.sin(torch.pi * (torch.arange(patch, dtype=images.dtype) + 0.5) / patch) ** 2
    line = ones if window == "uniform" else fading
    weights = line[:, None] * line
    height, width = images.shape[2:]
    rows = sorted({*range(0, height - patch + 1, stride), height - patch})
    columns = sorted({*range(0, width - patch + 1, stride), width - patch})
    total, norm = torch.zeros_like(images), torch.zeros_like(images)
    for row in rows:
        for column in columns:
            place = (slice(None), slice(None), slice(row, row + patch), slice(column, column + patch))
            inside = torch.zeros_like(images)
            inside[place] = weights * purify(images[place])
            total = total + inside
            norm[place] += weights
    return total / norm


def made(dtype=torch.float64, **options):
    with seeded(1):
        return Mixing(3, 5, **options).to(dtype).eval()


def photos(sides, dtype=torch.float64, count=3):
    return torch.rand(count, 3, *sides, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("window", tiling.WINDOWS)
@pytest.mark.parametrize("stride", [1, 3, 5])
@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_the_direct_formula_on_every_side(sides, stride, window, dtype):
    inner, images = made(dtype), photos(sides, dtype)
    found = Patchwise(inner, patch=5, stride=stride, window=window)(images)
    torch.testing.assert_close(found, direct(inner, images, 5, stride, window), atol=1e-6, rtol=0)


@pytest.mark.parametrize("held", [0, streaming.HELD])
@pytest.mark.parametrize("portion", [25, 25 * 7, 25 * 1000])
@pytest.mark.parametrize("window", tiling.WINDOWS)
def test_its_gradient_is_that_of_the_direct_formula_for_images_and_weights(
    monkeypatch, held, portion, window
):
    monkeypatch.setattr(streaming, "HELD", held)
    monkeypatch.setattr(tiling, "PORTION", portion)
    monkeypatch.setattr(tiling, "LEAST", 1)
    inner, images = made(), photos((17, 12)).requires_grad_()
    scores = torch.randn(images.shape, dtype=images.dtype)
    leaves = (images, *inner.parameters())
    found = torch.autograd.grad(
        (scores * Patchwise(inner, patch=5, stride=2, window=window)(images)).sum(), leaves
    )
    expected = torch.autograd.grad((scores * direct(inner, images, 5, 2, window)).sum(), leaves)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)


@pytest.mark.parametrize("held", [0, streaming.HELD])
def test_the_gradient_is_that_of_the_noise_that_was_drawn(monkeypatch, held):
    monkeypatch.setattr(streaming, "HELD", held)
    monkeypatch.setattr(tiling, "PORTION", 25 * 4)
    monkeypatch.setattr(tiling, "LEAST", 1)
    inner = made(noise=2.0)
    images = photos((13, 11), count=1).requires_grad_()
    purifier = Patchwise(inner, patch=5, stride=3)
    scores = torch.randn(images.shape, dtype=images.dtype)
    with seeded(5):
        loss = (scores * purifier(images)).sum()
        torch.randn(100)  # the generator has moved on when the gradient is asked for
        before = torch.get_rng_state()
        (found,) = torch.autograd.grad(loss, images)
        assert torch.equal(torch.get_rng_state(), before)
    step = 1e-6 * torch.randn(images.shape, generator=torch.Generator().manual_seed(2), dtype=images.dtype)

    def at(moved):
        with seeded(5), torch.no_grad():
            return (scores * purifier(moved)).sum()

    slope = (at(images + step) - at(images - step)) / 2
    assert float((found * step).sum()) == pytest.approx(float(slope), rel=1e-5)


@pytest.mark.parametrize("sides", [(3, 9), (2, 2), (9, 3)])
def test_an_image_smaller_than_a_patch_is_lengthened_by_its_last_row_and_column(sides):
    inner, images = made(), photos(sides)
    height, width = sides
    down = torch.arange(max(height, 5)).clamp(max=height - 1)
    across = torch.arange(max(width, 5)).clamp(max=width - 1)
    expected = direct(inner, images[:, :, down][:, :, :, across], 5, 5, "uniform")[:, :, :height, :width]
    torch.testing.assert_close(Patchwise(inner, patch=5, stride=5)(images), expected, atol=1e-12, rtol=0)


def test_a_purifier_that_gives_its_input_back_leaves_the_images_as_they_are():
    images = photos((11, 14), torch.float32)
    kept = images.clone()
    found = Patchwise(JPEG(quality=100), patch=4, stride=3).surrogate(images)
    torch.testing.assert_close(found, kept, atol=1e-6, rtol=0)
    assert torch.equal(images, kept)


def test_a_purifier_without_gradient_has_none_patch_by_patch_and_its_surrogate_s():
    images = photos((12, 9), torch.float32).requires_grad_()
    purifier = Patchwise(JPEG(quality=10), patch=8, stride=8)
    assert not purifier.differentiable
    assert not purifier(images).requires_grad
    (gradient,) = torch.autograd.grad(purifier.surrogate(images).sum(), images)
    torch.testing.assert_close(gradient, torch.ones_like(images))


def test_white_images_do_not_exceed_one():
    images = torch.ones(1, 3, 31, 29)
    for window in tiling.WINDOWS:
        assert Patchwise(JPEG(quality=100), patch=7, stride=3, window=window).surrogate(images).max() <= 1


def test_no_more_patches_than_a_portion_meet_the_purifier_at_once(monkeypatch):
    monkeypatch.setattr(streaming, "HELD", 0)
    inner = made(torch.float32, seen=[])
    purifier = Patchwise(inner, patch=5, stride=1)
    images = photos((60, 60), torch.float32, count=2).requires_grad_()
    purifier(images).sum().backward()
    assert max(inner.seen) <= tiling.PORTION // 25
    assert sum(inner.seen) == 2 * (2 * 56 * 56)  # forward, and once more backward


def test_nothing_is_kept_for_the_gradient_of_many_but_the_images_whatever_the_stride(monkeypatch):
    monkeypatch.setattr(streaming, "HELD", 0)

    def kept(stride):
        sizes = []
        inner = made(torch.float32).requires_grad_(False)
        images = photos((40, 40), torch.float32).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: sizes.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            Patchwise(inner, patch=5, stride=stride)(images)
        return sum(sizes)

    assert kept(1) == kept(5) == 3 * 3 * 40 * 40


@pytest.mark.parametrize(
    ("patch", "stride", "message"),
    [
        (0, 1, "patch must be 1 or above"),
        (4, 5, r"stride must lie in \[1, 4\]"),
        (4, 0, r"stride must lie in \[1, 4\]"),
    ],
)
def test_what_leaves_gaps_is_refused(patch, stride, message):
    with pytest.raises(InputError, match=message):
        Patchwise(Reconstruction.example(1, 4), patch=patch, stride=stride)


PROGRAM = """
import json, resource, sys, torch
from purifold.autoencoders.patch_spec import PatchSpec
from purifold.defenses.chain import Chain
from purifold.defenses.patchwise import Patchwise
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.smoothing import Smoothing
from purifold.randomness import seeded

side, stride, gradient = map(int, sys.argv[1:])
torch.set_num_threads(1)
with seeded(0):
    autoencoder = PatchSpec(patch=16, latent=64).build((3, side, side)).eval().requires_grad_(False)
    images = torch.rand(1, 3, side, side, requires_grad=bool(gradient))
patches = Patchwise(Reconstruction(autoencoder), patch=16, stride=stride)
purified = Chain([patches, Smoothing()])(images)
if gradient:
    purified.sum().backward()
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
"""


def peak(side, stride, gradient):
    """Bytes that a process of its own held at most."""
    command = [sys.executable, "-c", PROGRAM, str(side), str(stride), str(int(gradient))]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.parametrize("gradient", [False, True])
def test_memory_beside_the_image_is_bounded_whatever_its_size_and_the_stride(gradient):
    side = math.isqrt(streaming.HELD) if gradient else 128
    most = peak(side, 16, gradient)
    images = 4 if gradient else 2  # with what is made of it, and the gradients of both
    own = images * 3 * ((2 * side) ** 2 - side**2) * 4
    assert peak(2 * side, 16, gradient) - own < 1.1 * most
    assert peak(side, 8, gradient) < 1.1 * most
