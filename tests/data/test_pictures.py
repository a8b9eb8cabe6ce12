"""Image files of every kind: kept whole, turned upright, or refused in one line."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from purifold.data.pictures import Picture, format_of, read_picture, readable, write_picture
from purifold.errors import Failure, InputError

random = np.random.RandomState(3)
COLOUR = random.randint(0, 256, (5, 7, 3)).astype(np.uint8)
GREY, ALPHA = COLOUR[..., 0], COLOUR[..., 1]


def opened(path):
    """An image whose file is closed again."""
    with Image.open(path) as image:
        image.load()
        return image


def planes(array):
    return torch.from_numpy(array.reshape(*array.shape[:2], -1)).permute(2, 0, 1)


def same(tensor, array):
    return np.array_equal(tensor.numpy(), planes(array).numpy())


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".tga", ".ppm", ".jp2"])
def test_colours_come_back_as_they_were_written(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    write_picture(Picture(pixels=planes(COLOUR)), path)
    found = read_picture(path)
    assert same(found.pixels, COLOUR)
    assert found.alpha is None


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".pgm"])
def test_grey_stays_grey(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    write_picture(Picture(pixels=planes(GREY)), path)
    assert same(read_picture(path).pixels, GREY)
    assert opened(path).mode == "L"


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_transparency_goes_from_file_to_file(tmp_path, suffix, pixels):
    if suffix == ".webp":  # which has no grey of its own
        pixels = COLOUR
    source, copy = tmp_path / f"source{suffix}", tmp_path / f"copy{suffix}"
    array = np.dstack([pixels, np.where(ALPHA < 100, 0, ALPHA)])  # the colour of what nobody sees stays
    Image.fromarray(array).save(source, **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
    picture = read_picture(source)
    assert same(picture.pixels, pixels)
    assert np.array_equal(picture.alpha.numpy(), array[..., -1])
    write_picture(picture, copy)
    assert np.array_equal(np.array(opened(copy)), array)


def test_transparency_that_a_format_cannot_hold_is_refused(tmp_path):
    picture = Picture(pixels=planes(COLOUR), alpha=torch.from_numpy(ALPHA))
    with pytest.raises(InputError, match=r"transparency; write a \.png"):
        write_picture(picture, tmp_path / "image.jpg")
    assert not list(tmp_path.iterdir())


def test_palettes_and_bits_are_read_as_the_colours_they_name(tmp_path):
    palette = Image.fromarray(COLOUR).quantize(8)
    palette.save(tmp_path / "palette.png")
    assert same(read_picture(tmp_path / "palette.png").pixels, np.array(palette.convert("RGB")))
    palette.save(tmp_path / "clear.png", transparency=2)
    expected = np.where(np.array(palette) == 2, 0, 255)
    assert np.array_equal(read_picture(tmp_path / "clear.png").alpha.numpy(), expected)
    bits = Image.fromarray(GREY).convert("1")
    bits.save(tmp_path / "bits.png")
    assert same(read_picture(tmp_path / "bits.png").pixels, np.array(bits.convert("L")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_orientation_says_and_only_once(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = orientation, "a description"
    Image.fromarray(COLOUR).save(tmp_path / "turned.png", exif=exif)
    quarter = {1: 0, 2: 0, 3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}[orientation]  # EXIF 2.3, table 6
    mirrored = COLOUR[:, ::-1] if orientation in (2, 4, 5, 7) else COLOUR
    upright = np.ascontiguousarray(np.rot90(mirrored, quarter))
    if orientation in (5, 7):
        upright = np.ascontiguousarray(np.rot90(COLOUR[:, ::-1], 1 if orientation == 5 else 3))
    picture = read_picture(tmp_path / "turned.png")
    assert same(picture.pixels, upright)
    write_picture(picture, tmp_path / "upright.png")
    again = read_picture(tmp_path / "upright.png")
    assert torch.equal(again.pixels, picture.pixels)
    assert opened(tmp_path / "upright.png").getexif()[0x010E] == "a description"


def test_a_colour_profile_goes_from_file_to_file(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "in.png", icc_profile=b"a profile")
    write_picture(read_picture(tmp_path / "in.png"), tmp_path / "out.tif")
    assert opened(tmp_path / "out.tif").info["icc_profile"] == b"a profile"


def sixteen_bit_colours():
    """A PNG of 16 bits a channel, which Pillow reads and does not write: its header and one row a line."""
    import struct
    import zlib

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + random.bytes(7 * 3 * 2) for _ in range(5))
    header = struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_what_cannot_be_kept_is_refused_in_one_line_that_says_what_to_do(tmp_path):
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    (tmp_path / "deep-colour.png").write_bytes(sixteen_bit_colours())
    (tmp_path / "deep.ppm").write_bytes(b"P6 2 1 65535\n" + bytes(range(12)))
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "inks.jpg")
    Image.fromarray(COLOUR).convert("LAB").save(tmp_path / "lab.tif")
    Image.fromarray(COLOUR).save(
        tmp_path / "film.gif", save_all=True, append_images=[Image.fromarray(255 - COLOUR)]
    )
    for name, says in {
        "deep.png": "more than 8 bits a channel; convert it to 8 bits",
        "deep-colour.png": "more than 8 bits a channel; convert it to 8 bits",
        "deep.ppm": "more than 8 bits a channel",
        "float.tif": "more than 8 bits a channel",
        "inks.jpg": "mode CMYK; convert it to RGB",
        "lab.tif": "mode LAB; convert it to RGB",
        "film.gif": "several frames",
        "missing.png": "there is no file",
    }.items():
        with pytest.raises(InputError, match=says) as error:
            read_picture(tmp_path / name)
        assert name in str(error.value)
        assert "\n" not in str(error.value)


def test_a_damaged_file_is_a_failure_that_names_it(tmp_path):
    out = io.BytesIO()
    Image.fromarray(COLOUR).save(out, "PNG")
    (tmp_path / "cut.png").write_bytes(out.getvalue()[:60])
    (tmp_path / "text.png").write_text("no image")
    for name in ("cut.png", "text.png"):
        with pytest.raises(Failure, match=f"{name} is damaged"):
            read_picture(tmp_path / name)


def test_an_image_that_a_format_is_too_small_for_is_refused_and_leaves_nothing(tmp_path):
    long = Picture(pixels=torch.zeros(1, 1, 66_000, dtype=torch.uint8))
    for suffix in (".jpg", ".webp"):
        with pytest.raises(
            InputError, match=rf"long{suffix} cannot hold the image .*; write a \.png instead"
        ):
            write_picture(long, tmp_path / f"long{suffix}")
    assert not list(tmp_path.iterdir())
    write_picture(long, tmp_path / "long.png")


def test_an_image_of_more_pixels_than_pillow_decodes_is_not_called_damaged(tmp_path, monkeypatch):
    Image.fromarray(COLOUR).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(
        InputError, match=r"large\.png is larger than Pillow decodes .*35 pixels.*; cut it up"
    ):
        read_picture(tmp_path / "large.png")


def test_no_program_is_run_for_an_image_that_pillow_does_not_decode_itself(tmp_path):
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 5\n%%EndComments\n")
    with pytest.raises(Failure, match="cannot identify"):
        read_picture(tmp_path / "a.png")


def test_no_exif_is_written_where_none_was_read(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "in.png")
    write_picture(read_picture(tmp_path / "in.png"), tmp_path / "out.png")
    assert b"eXIf" not in (tmp_path / "out.png").read_bytes()


def test_endings_say_what_is_read_and_what_is_written(tmp_path):
    assert readable(tmp_path / "a.JPG")
    for name in ("notes.txt", "a.eps", "a.mpg", "a.h5"):
        assert not readable(tmp_path / name)
    assert format_of(tmp_path / "a.PNG") == "PNG"
    for name in ("a.txt", "a", "a.gif", "a.avif", "a.xbm", "a.pdf", "a.ico"):  # lose colours, or more
        with pytest.raises(InputError, match=r"must end in \.png"):
            format_of(tmp_path / name)
