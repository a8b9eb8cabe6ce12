"""JPEG beside Pillow called on each image, and beside the standard's own formula."""

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.fft import dctn, idctn

from purifold.defenses.jpeg import JPEG, _recode_colour
from purifold.errors import InputError

BRIGHTNESS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""ITU-T T.81, table K.1."""


def table(quality):
    """libjpeg's scaling of the standard's table."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((BRIGHTNESS * scale + 50) // 100, 1, 255)


def quantised(coefficients, steps):
    """Nearest multiples of the steps, halves away from zero."""
    return np.sign(coefficients) * np.floor(np.abs(coefficients) / steps + 0.5) * steps


def blocks(images):
    """The 8 by 8 blocks of grey images, in whole levels."""
    count, _, height, width = images.shape
    levels = np.rint(images.double().numpy() * 255)
    return levels.reshape(count, height // 8, 8, width // 8, 8).swapaxes(2, 3)


def smooth(count, channels, height, width, seed=0):
    """Images with structure at every scale, unlike each other."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    fine = torch.rand(count, channels, height, width, generator=generator)
    wide = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    return (0.85 * wide + 0.15 * fine).clamp(0, 1)


def pillow(images, quality):
    """Each image alone through Pillow's files."""
    decoded = []
    for image in images:
        pixels = (image * 255).round().byte().permute(1, 2, 0).squeeze(2).numpy()
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        decoded.append(np.asarray(Image.open(file)).reshape(*image.shape[1:], len(image)))
    return torch.from_numpy(np.stack(decoded)).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("quality", [1, 10, 23, 75, 95, 100])
@pytest.mark.parametrize(
    ("channels", "height", "width"),
    [
        (1, 28, 28),
        (1, 8, 8),
        (1, 3, 5),
        (1, 33, 16),
        (3, 32, 32),
        (3, 16, 40),
        (3, 48, 21),
        (3, 29, 29),
        (3, 5, 3),
    ],
)
def test_a_batch_is_bit_for_bit_what_pillow_makes_of_each_image(channels, height, width, quality):
    images = smooth(7, channels, height, width)
    assert torch.equal(JPEG(quality=quality)(images), pillow(images, quality))


@pytest.mark.parametrize(("channels", "size"), [(1, 4000), (3, 4096)])
def test_more_images_than_one_strip_holds_change_nothing(channels, size):
    images = smooth(3, channels, size, 16).repeat(12, 1, 1, 1)
    purified = JPEG()(images)
    assert torch.equal(purified[:3], pillow(images[:3], 23))
    assert torch.equal(purified, purified[:3].repeat(12, 1, 1, 1))


def test_an_image_with_more_coding_units_than_a_restart_can_span_is_coded_alone():
    pixels = torch.randint(256, (1, 32, 32, 3), generator=torch.Generator().manual_seed(0)).byte()
    pixels = pixels.repeat(1, 128, 129, 1)
    file = io.BytesIO()
    Image.fromarray(pixels[0].numpy()).save(file, "JPEG", quality=23)
    assert np.array_equal(_recode_colour(pixels, 23)[0].numpy(), np.asarray(Image.open(file)))


@pytest.mark.parametrize("quality", [10, 23, 60])
def test_grey_images_follow_the_standard_s_formula_within_one_level(quality):
    images = smooth(50, 1, 24, 32)
    coefficients = dctn(blocks(images) - 128, axes=(-2, -1), norm="ortho")
    decoded = idctn(quantised(coefficients, table(quality)), axes=(-2, -1), norm="ortho")
    difference = np.abs(np.rint(decoded).clip(-128, 127) + 128 - blocks(JPEG(quality=quality)(images)))
    # libjpeg transforms in integers: a coefficient this near to a tie may fall on its other side.
    steps = np.abs(coefficients / table(quality))
    clear = (np.abs(steps - np.floor(steps) - 0.5) > 0.02).all(axis=(-2, -1))
    assert clear.mean() > 0.2
    assert difference[clear].max() <= 1
    assert difference[clear].mean() < 0.02


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_rounded_to_the_nearest_byte_and_not_cut(channels):
    levels = torch.tensor([0.999, 1.499, 1.501, 100.999, 254.6])
    images = (levels / 255)[:, None, None, None].expand(-1, channels, 16, 16)
    purified = (JPEG(quality=100)(images) * 255).mean(dim=(1, 2, 3))
    assert torch.allclose(purified, torch.tensor([1.0, 1.0, 2.0, 101.0, 255.0]))


@pytest.mark.parametrize("quality", [1, 10, 23, 50, 75, 100])
def test_constant_images_stay_constant_at_the_level_that_their_mean_is_quantised_to(quality):
    levels = np.arange(256)
    images = torch.from_numpy(levels / 255)[:, None, None, None].expand(-1, 1, 16, 16)
    purified = JPEG(quality=quality)(images)
    assert torch.equal(purified, purified[:, :, :1, :1].expand_as(purified))
    # A block's mean is its first coefficient, 8 times the level; decoding rounds halves up.
    expected = np.floor(quantised((levels - 128.0) * 8, table(quality)[0, 0]) / 8 + 0.5).clip(-128, 127) + 128
    assert torch.allclose(purified[:, 0, 0, 0] * 255, torch.from_numpy(expected), atol=1e-9)


@pytest.mark.parametrize("quality", [1, 23, 100])
def test_middle_grey_stays_as_it_is_in_colour_too(quality):
    images = torch.full((2, 3, 19, 16), 128 / 255)
    assert torch.equal(JPEG(quality=quality)(images), images)


def test_lower_quality_is_further_from_the_image():
    images = smooth(10, 3, 32, 32)
    errors = [(JPEG(quality=quality)(images) - images).square().mean() for quality in (5, 23, 50, 75, 95)]
    assert errors == sorted(errors, reverse=True)


def test_the_surrogate_is_the_identity_and_the_codec_gives_no_gradient():
    images = smooth(2, 1, 8, 8).requires_grad_()
    assert torch.equal(JPEG().surrogate(images), images)
    (gradient,) = torch.autograd.grad(JPEG().surrogate(images).sum(), images)
    assert torch.equal(gradient, torch.ones_like(images))
    assert not JPEG()(images).requires_grad


@pytest.mark.parametrize("quality", [0, -5, 101])
def test_a_quality_off_the_scale_is_refused(quality):
    with pytest.raises(InputError, match=rf"quality must lie in \[1, 100\], got {quality}"):
        JPEG(quality=quality)


def test_images_that_are_neither_grey_nor_colour_or_off_the_scale_are_refused():
    with pytest.raises(InputError, match="images must have 1 or 3 channels for JPEG, got 2"):
        JPEG()(torch.zeros(1, 2, 8, 8))
    with pytest.raises(InputError, match=r"images must lie in \[0, 1\]"):
        JPEG()(torch.full((1, 1, 8, 8), 1.5))
    with pytest.raises(InputError, match="at most 65496 pixels a side for JPEG, got 65497x1"):
        JPEG()(torch.zeros(1, 1, 65497, 1))
