import io

import numpy as np
import pytest
from PIL import Image

from purifold.data.decode import decode, describe, picture
from purifold.errors import Failure, InputError

random = np.random.RandomState(3)
GREY = random.randint(0, 256, (4, 1, 5, 7)).astype(np.uint8)
COLOUR = random.randint(0, 256, (4, 3, 5, 7)).astype(np.uint8)


def cells(contents):
    return [(f"image {row} of FILE", content) for row, content in enumerate(contents)]


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("PPM", {})]
)
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_lossless_files_come_back_as_the_pixels_that_were_written(pixels, kind, options, encode):
    if kind == "WEBP" and len(pixels[0]) == 1:
        pixels = pixels.repeat(3, axis=1)  # WebP has no greyscale
    decoded = decode(cells(encode(image, kind, **options) for image in pixels), len(pixels))
    np.testing.assert_array_equal(decoded.numpy(), pixels)


def test_prepare_is_applied_to_every_image_and_told_its_place(encode):
    places = []

    def flip(image, place):
        places.append(place)
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    decoded = decode(cells(encode(image) for image in COLOUR), 4, flip)
    np.testing.assert_array_equal(decoded.numpy(), COLOUR[..., ::-1])
    assert places == [f"image {row} of FILE" for row in range(4)]


def test_size_that_differs_is_refused_with_both_sizes(encode):
    contents = [encode(COLOUR[0]), encode(COLOUR[1, :, :4])]
    with pytest.raises(InputError, match=r"image 1 of FILE is RGB 4x7 .* before it RGB 5x7"):
        decode(cells(contents), 2)


def test_mode_that_differs_is_refused(encode):
    with pytest.raises(InputError, match="image 1 of FILE is greyscale 5x7"):
        decode(cells([encode(COLOUR[0]), encode(GREY[0])]), 2)


@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "I;16", "LA"])
def test_modes_other_than_greyscale_and_rgb_are_refused(mode):
    buffer = io.BytesIO()
    Image.new(mode, (4, 4)).save(buffer, format="PNG")
    with pytest.raises(InputError, match=f"image 9 has mode {mode}; convert it"):
        picture(buffer.getvalue(), "image 9")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "BMP", "PPM"])
def test_every_truncation_is_a_failure_or_an_image(kind, encode):
    content = encode(COLOUR[0], kind)
    messages = []
    for length in range(len(content) - 1):
        try:
            assert picture(content[:length], "image 9").size == (7, 5)
        except Failure as failure:
            messages.append(str(failure))
    assert len(messages) > len(content) / 2
    assert all(text.startswith("image 9 is damaged (") and "\n" not in text for text in messages)


def test_file_cut_in_half_is_never_an_image(encode):
    for kind in ("PNG", "WEBP", "JPEG", "BMP", "PPM"):
        content = encode(COLOUR[0], kind)
        with pytest.raises(Failure):
            picture(content[: len(content) // 2], "image 9")


def test_formats_outside_the_list_are_not_opened(encode):
    with pytest.raises(Failure, match="cannot identify"):
        picture(encode(COLOUR[0], "TIFF"), "image 9")


def test_shapes_are_described_in_words():
    assert describe((3, 48, 32)) == "RGB 48x32 (height x width)"
    assert describe((1, 28, 28)) == "greyscale 28x28 (height x width)"
