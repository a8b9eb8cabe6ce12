import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from purifold.data.importers.archive import import_archive, importers
from purifold.data.load import load, sources
from purifold.errors import Failure, InputError

RANDOM = np.random.RandomState(11)


def image(height, width):
    return RANDOM.randint(0, 256, (height, width, 3)).astype(np.uint8)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def coil(archive: Path) -> dict[tuple[int, int], np.ndarray]:
    views = {(number, angle): image(8, 8) for number in (1, 2, 100) for angle in range(0, 360, 5)}
    for (number, angle), pixels in views.items():
        save(archive / f"obj{number}__{angle}.png", pixels)
    return views


def nips(archive: Path) -> list[tuple[np.ndarray, str, int, int]]:
    rows = [
        (image(299, 299), f"{code:016x}", label, target)
        for code, label, target in ((9, 306, 779), (3, 1, 1000))
    ]
    for pixels, code, _, _ in rows:
        save(archive / "images" / f"{code}.png", pixels)
    with (archive / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ImageId", "URL", "TrueLabel", "TargetClass", "Author"])
        writer.writerows([code, "http://x", label, target, "Doe, J."] for _, code, label, target in rows)
    return rows


BOXES = {
    "00000": [("01153_00000.ppm", 4, 3, 44, 51), ("01153_00001.ppm", 0, 0, 48, 56)],
    "00061": [("17_00002.ppm", 8, 8, 40, 40)],
}


def btsc(archive: Path, nested=False) -> dict[str, np.ndarray]:
    written = {}
    for part in ("Training", "Testing"):
        folder = archive / f"BelgiumTSC_{part}" / part if nested else archive / f"BelgiumTSC_{part}"
        for kind, boxes in BOXES.items():
            lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
            for name, *box in boxes:
                written[part, kind, name] = save(folder / kind / name, image(56, 48))
                lines.append(";".join(map(str, (name, 48, 56, *box, int(kind)))))
            (folder / kind / f"GT-{kind}.csv").write_text("\r\n".join(lines) + "\r\n")
        (folder / "00007").mkdir()
        (folder / "00007" / "GT-00007.csv").write_text(lines[0] + "\n")
    return written


ARCHIVES = {"btsc": btsc, "coil-100": coil, "nips-2017": nips}
each = pytest.mark.parametrize("name", ARCHIVES)


def read(path):
    import datasets

    rows = datasets.Dataset.from_parquet(str(path), cache_dir=str(path.parent.parent / "cache"))
    return rows, [np.asarray(picture) for picture in rows["image"]]


def test_every_data_set_without_a_hub_copy_has_an_importer():
    assert list(importers()) == [
        name for name, source in sources().items() if name != "digits" and not source.hub
    ]


def test_coil_angles_in_tens_train_and_the_views_between_them_test(tmp_path):
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


def test_nips_labels_lose_the_background_class(tmp_path):
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


@pytest.mark.parametrize("nested", [False, True])
def test_btsc_signs_are_cut_to_their_box_and_resized(nested, tmp_path):
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


@each
def test_folder_is_written_whole_and_alone(name, tmp_path):
    ARCHIVES[name](tmp_path / "archive")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*")}
    folder = import_archive(name, tmp_path / "archive", tmp_path / "root")
    assert folder == tmp_path / "root" / name
    assert list((tmp_path / "root").iterdir()) == [folder]
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*")} == before


@each
def test_full_disk_leaves_nothing_behind(name, tmp_path, monkeypatch):
    import datasets

    written = datasets.Dataset.to_parquet

    def full(self, path):
        written(self, path)
        raise OSError(28, "No space left on device")

    ARCHIVES[name](tmp_path / "archive")
    monkeypatch.setattr(datasets.Dataset, "to_parquet", full)
    with pytest.raises(Failure, match=f"root/{name} cannot be written .No space left on device."):
        import_archive(name, tmp_path / "archive", tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


@each
def test_what_is_there_is_not_overwritten(name, tmp_path):
    (tmp_path / "root" / name).mkdir(parents=True)
    with pytest.raises(InputError, match=f"root/{name} is there already"):
        import_archive(name, tmp_path, tmp_path / "root")


@each
def test_archive_that_is_no_folder_says_what_it_must_hold(name, tmp_path):
    (tmp_path / "archive.zip").write_bytes(b"x")
    with pytest.raises(InputError, match="is no folder; unpack it first: ") as caught:
        import_archive(name, tmp_path / "archive.zip", tmp_path / "root")
    assert importers()[name].layout in str(caught.value)


@each
def test_empty_archive_is_refused(name, tmp_path):
    (tmp_path / "archive").mkdir()
    with pytest.raises((InputError, Failure), match="archive") as caught:
        import_archive(name, tmp_path / "archive", tmp_path / "root")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "root").exists()


@each
def test_cut_short_image_is_named(name, tmp_path):
    ARCHIVES[name](tmp_path / "archive")
    path = sorted(path for path in (tmp_path / "archive").rglob("*.p*m")) or sorted(
        (tmp_path / "archive").rglob("*.png")
    )
    path[0].write_bytes(path[0].read_bytes()[:60])
    with pytest.raises(Failure, match=f"{path[0].name} is damaged"):
        import_archive(name, tmp_path / "archive", tmp_path / "root")


def test_unknown_importer_gives_the_nearest(tmp_path):
    with pytest.raises(InputError, match="unknown importer 'coil100'; did you mean 'coil-100'"):
        import_archive("coil100", tmp_path, tmp_path)


def test_image_that_the_table_lists_and_the_folder_lacks_is_named(tmp_path):
    nips(tmp_path / "archive")
    (tmp_path / "archive" / "images" / f"{3:016x}.png").unlink()
    with pytest.raises(Failure, match=r"0003\.png cannot be read"):
        import_archive("nips-2017", tmp_path / "archive", tmp_path / "root")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("306", "0", "line 2 of .* must hold a class from 1 to 1000, got 0"),
        ("306", "1001", "from 1 to 1000, got 1001"),
        ("306", "many", "line 2 of .* must hold a whole number, got 'many'"),
        ("TrueLabel", "Label", "has no column TrueLabel; it has: ImageId, URL, Label"),
    ],
)
def test_wrong_nips_tables_are_refused(old, new, message, tmp_path):
    nips(tmp_path / "archive")
    table = tmp_path / "archive" / "images.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        import_archive("nips-2017", tmp_path / "archive", tmp_path / "root")


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
def test_wrong_btsc_tables_are_refused(old, new, message, tmp_path):
    btsc(tmp_path / "archive")
    table = tmp_path / "archive" / "BelgiumTSC_Training" / "00000" / "GT-00000.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises((InputError, Failure), match=message):
        import_archive("btsc", tmp_path / "archive", tmp_path / "root")


@pytest.mark.parametrize(
    "name", ["obj0__0.png", "obj101__0.png", "obj1__7.png", "obj1__360.png", "obj1__x.png"]
)
def test_files_that_are_no_coil_views_are_named(name, tmp_path):
    coil(tmp_path / "archive")
    save(tmp_path / "archive" / name, image(8, 8))
    with pytest.raises(InputError, match=f"{name} is no view of objects 1 to 100"):
        import_archive("coil-100", tmp_path / "archive", tmp_path / "root")


def test_coil_without_views_between_the_tens_is_refused(tmp_path):
    views = {(1, angle): image(8, 8) for angle in range(0, 360, 10)}
    for (number, angle), pixels in views.items():
        save(tmp_path / "archive" / f"obj{number}__{angle}.png", pixels)
    with pytest.raises(InputError, match="no views for the test part"):
        import_archive("coil-100", tmp_path / "archive", tmp_path / "root")


def test_pixels_of_nips_and_coil_keep_the_files_bytes(tmp_path):
    coil(tmp_path / "archive")
    folder = import_archive("coil-100", tmp_path / "archive", tmp_path / "root")
    import datasets

    rows = datasets.Dataset.from_parquet(
        str(folder / "train-00000-of-00001.parquet"), cache_dir=str(tmp_path / "cache")
    ).cast_column("image", datasets.Image(decode=False))
    assert rows[0]["image"]["bytes"] == (tmp_path / "archive" / "obj1__0.png").read_bytes()
    assert Image.open(io.BytesIO(rows[0]["image"]["bytes"])).size == (8, 8)
