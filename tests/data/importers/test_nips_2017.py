"""NIPS 2017: labels without the background class, and tables that are wrong."""

import numpy as np
import pytest

from purifold.data.importers.archive import import_archive
from purifold.data.load import load
from purifold.errors import Failure, InputError


def test_nips_labels_lose_the_background_class(nips, read, tmp_path):
    written = nips(tmp_path / "archive")
    folder = import_archive("nips-2017", tmp_path / "archive", tmp_path / "root")
    rows, pixels = read(folder / "test-00000-of-00001.parquet")
    assert rows["label"][:] == [305, 0]
    assert rows["target"][:] == [778, 999]
    assert rows["image_id"][:] == [code for _, code, _, _ in written]
    for (wanted, *_), got in zip(written, pixels, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert rows.features["label"].int2str(0) == "1"
    assert len(load("nips-2017", tmp_path / "root").test) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("306", "0", "line 2 of .* must hold a class from 1 to 1000, got 0"),
        ("306", "1001", "from 1 to 1000, got 1001"),
        ("306", "many", "line 2 of .* must hold a whole number, got 'many'"),
        ("TrueLabel", "Label", "has no column TrueLabel; it has: ImageId, URL, Label"),
    ],
)
def test_wrong_nips_tables_are_refused(nips, old, new, message, tmp_path):
    nips(tmp_path / "archive")
    table = tmp_path / "archive" / "images.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        import_archive("nips-2017", tmp_path / "archive", tmp_path / "root")


def test_image_that_the_table_lists_and_the_folder_lacks_is_named(nips, tmp_path):
    nips(tmp_path / "archive")
    (tmp_path / "archive" / "images" / f"{3:016x}.png").unlink()
    with pytest.raises(Failure, match=r"0003\.png cannot be read"):
        import_archive("nips-2017", tmp_path / "archive", tmp_path / "root")
