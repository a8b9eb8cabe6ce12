"""COIL-100: views at tens of degrees train, those between them test, as the files have them."""

import io

import numpy as np
import pytest
from PIL import Image

from purifold.data.importers.archive import import_archive
from purifold.data.load import load
from purifold.errors import InputError


def test_coil_angles_in_tens_train_and_the_views_between_them_test(coil, read, tmp_path):
    views = coil(tmp_path / "archive")
    folder = import_archive("coil-100", tmp_path / "archive", tmp_path / "root")
    for part, remainder in (("train", 0), ("test", 5)):
        rows, pixels = read(folder / f"{part}-00000-of-00001.parquet")
        wanted = sorted(view for view in views if view[1] % 10 == remainder)
        assert list(zip([label + 1 for label in rows["label"]], rows["angle"], strict=True)) == wanted
        for view, got in zip(wanted, pixels, strict=True):
            np.testing.assert_array_equal(got, views[view])
    assert rows.features["label"].int2str(99) == "obj100"
    data = load("coil-100", tmp_path / "root")
    assert (len(data.train) + len(data.validation), len(data.test)) == (108, 108)


@pytest.mark.parametrize(
    "name", ["obj0__0.png", "obj101__0.png", "obj1__7.png", "obj1__360.png", "obj1__x.png"]
)
def test_files_that_are_no_coil_views_are_named(coil, image, save, name, tmp_path):
    coil(tmp_path / "archive")
    save(tmp_path / "archive" / name, image(8, 8))
    with pytest.raises(InputError, match=f"{name} is no view of objects 1 to 100"):
        import_archive("coil-100", tmp_path / "archive", tmp_path / "root")


def test_coil_without_views_between_the_tens_is_refused(image, save, tmp_path):
    views = {(1, angle): image(8, 8) for angle in range(0, 360, 10)}
    for (number, angle), pixels in views.items():
        save(tmp_path / "archive" / f"obj{number}__{angle}.png", pixels)
    with pytest.raises(InputError, match="no views for the test part"):
        import_archive("coil-100", tmp_path / "archive", tmp_path / "root")


def test_pixels_of_nips_and_coil_keep_the_files_bytes(coil, tmp_path):
    coil(tmp_path / "archive")
    folder = import_archive("coil-100", tmp_path / "archive", tmp_path / "root")
    import datasets

    rows = datasets.Dataset.from_parquet(
        str(folder / "train-00000-of-00001.parquet"), cache_dir=str(tmp_path / "cache")
    ).cast_column("image", datasets.Image(decode=False))
    assert rows[0]["image"]["bytes"] == (tmp_path / "archive" / "obj1__0.png").read_bytes()
    assert Image.open(io.BytesIO(rows[0]["image"]["bytes"])).size == (8, 8)
