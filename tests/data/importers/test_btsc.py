"""BelgiumTS: each sign cut to its box, and tables that are wrong."""

import numpy as np
import pytest
from PIL import Image

from purifold.data.importers.archive import import_archive
from purifold.errors import Failure, InputError


@pytest.mark.parametrize("nested", [False, True])
def test_btsc_signs_are_cut_to_their_box_and_resized(btsc, read, nested, tmp_path):
    written = btsc(tmp_path / "archive", nested)
    folder = import_archive("btsc", tmp_path / "archive", tmp_path / "root")
    for part, kind in (("train", "Training"), ("test", "Testing")):
        rows, pixels = read(folder / f"{part}-00000-of-00001.parquet")
        assert rows["label"][:] == [0, 0, 61]
        assert rows["sign"][:] == [1153, 1153, 17]
        # the third box is 32x32 already: its pixels must be those of the original
        np.testing.assert_array_equal(pixels[2], written[kind, "00061", "17_00002.ppm"][8:40, 8:40])
        whole = written[kind, "00000", "01153_00000.ppm"][3:51, 4:44]
        np.testing.assert_array_equal(
            pixels[0], np.asarray(Image.fromarray(whole).resize((32, 32), Image.BILINEAR))
        )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (";44;51;", ";49;51;", "line 2 of .* has the box 4, 3, 49, 51 in an image of 48 by 56"),
        (";44;51;", ";4;51;", "has the box 4, 3, 4, 51"),
        (";44;51;0", ";44;51;5", "says class 5 in the folder of class 00000"),
        ("01153_00000.ppm;", "../x.ppm;", "names '../x.ppm'"),
        (";44;51;0", "", "is cut short"),
    ],
)
def test_wrong_btsc_tables_are_refused(btsc, old, new, message, tmp_path):
    btsc(tmp_path / "archive")
    table = tmp_path / "archive" / "BelgiumTSC_Training" / "00000" / "GT-00000.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises((InputError, Failure), match=message):
        import_archive("btsc", tmp_path / "archive", tmp_path / "root")
