"""The differentiable JPEG: with hard rounding it is the codec's; with soft rounding it has a slope."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from purifold.defenses.base import Defended
from purifold.defenses.jpeg import JPEG
from purifold.defenses.soft_jpeg import BRIGHTNESS, COLOUR, soft_jpeg, soft_round, steps
from purifold.evaluation.surface import View, surface


def photos(channels, height, width, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(3, channels, 5, 5, generator=generator)
    fine = torch.rand(3, channels, height, width, generator=generator)
    wide = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    return (0.9 * wide + 0.1 * fine).mul(255).round().div(255).to(dtype)


def hard(values):
    """Nearest whole numbers, halves away from zero, as libjpeg rounds."""
    return values.sign() * (values.abs() + 0.5).floor()


def test_steps_are_those_that_libjpeg_writes_into_a_file():
    import io

    from PIL import Image

    for quality in (1, 10, 23, 50, 75, 95, 100):
        file = io.BytesIO()
        Image.new("RGB", (16, 16)).save(file, "JPEG", quality=quality)
        tables = Image.open(io.BytesIO(file.getvalue())).quantization
        for table, written in zip((BRIGHTNESS, COLOUR), tables.values(), strict=True):
            assert steps(table, quality).flatten().tolist() == list(written)


@pytest.mark.parametrize("quality", [10, 23, 50, 75, 95])
@pytest.mark.parametrize("sides", [(32, 48), (29, 35), (16, 8)])
def test_with_hard_rounding_grey_images_are_the_codec_s_to_a_level(sides, quality):
    images = photos(1, *sides)
    found = soft_jpeg(images, quality, hard)
    difference = (found - JPEG(quality=quality)(images)).abs() * 255
    # The codec rounds its pixels, a quarter of a level in the mean; now and then a coefficient near a half
    # falls to the other side, and takes its block along.
    assert difference.median() < 0.51
    assert difference.mean() < 0.7


@pytest.mark.parametrize("quality", [10, 23, 50, 75, 95])
@pytest.mark.parametrize("sides", [(32, 48), (29, 35), (16, 8)])
def test_with_hard_rounding_colours_are_the_codec_s_to_a_few_levels(sides, quality):
    images = photos(3, *sides)
    found = soft_jpeg(images, quality, hard)
    difference = (found - JPEG(quality=quality)(images)).abs() * 255
    changed = (images - JPEG(quality=quality)(images)).abs() * 255
    assert difference.mean() < 0.15 * changed.mean() + 0.6


def test_rounding_is_right_at_whole_numbers_and_halves_and_slopes_between():
    values = torch.tensor([-1.0, 0.0, 2.0, 0.5, 1.3], dtype=torch.float64, requires_grad=True)
    rounded = soft_round(values)
    torch.testing.assert_close(rounded, torch.tensor([-1, 0, 2, 0.125, 1.027], dtype=torch.float64))
    (slope,) = torch.autograd.grad(rounded.sum(), values)
    torch.testing.assert_close(slope, torch.tensor([0, 0, 0, 0.75, 0.27], dtype=torch.float64))


def test_its_gradient_agrees_with_finite_differences():
    images = (0.2 + 0.6 * torch.rand(3, 3, 19, 21, dtype=torch.float64)).requires_grad_()
    weights = torch.randn(images.shape, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((weights * soft_jpeg(images, 23)).sum(), images)
    step = 1e-6 * torch.randn(images.shape, dtype=torch.float64)
    with torch.no_grad():
        up, down = ((weights * soft_jpeg(images + sign * step, 23)).sum() for sign in (1, -1))
    assert float((gradient * step).sum()) == pytest.approx(float(up - down) / 2, rel=1e-4)


def test_what_the_codec_removes_has_less_gradient_than_what_it_keeps():
    places = torch.arange(8, dtype=torch.float64)
    basis = torch.cos(torch.pi / 8 * (places + 0.5) * places[:, None])
    flat, fine = basis[:1].T @ basis[:1], basis[7:].T @ basis[7:]
    images = (0.5 + 0.03 * flat + 0.003 * fine)[None, None].requires_grad_()
    (gradient,) = torch.autograd.grad((soft_jpeg(images, 10) ** 2).sum(), images)
    along = [float((gradient[0, 0] * wave).sum() / wave.norm()) for wave in (flat, fine)]
    assert abs(along[1]) < 0.01 * abs(along[0])


def test_an_attacker_gets_it_in_place_of_the_codec():
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()
    defended = Defended(classifier, JPEG(quality=10)).eval()
    images = photos(1, 8, 8)
    model = surface(defended, "adaptive", view=View(stand_in="soft"))
    torch.testing.assert_close(model(images), classifier(soft_jpeg(images, 10)))
