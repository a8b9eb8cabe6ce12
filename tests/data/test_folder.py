import numpy as np
import pytest
import torch

from purifold.data.load import load
from purifold.errors import Failure, InputError

PIXELS = np.random.RandomState(5).randint(0, 256, (60, 3, 4, 6)).astype(np.uint8)


@pytest.fixture
def fill(encode):
    """Writes the images of some rows into class folders, row r as class r % 3."""

    def filled(folder, rows, kinds=("cups", "test-tubes", "validators"), suffix=".png"):
        for row in rows:
            path = folder / kinds[row % len(kinds)] / f"{row:03d}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(PIXELS[row]))

    return filled


def rows_of(split):
    index = {image.tobytes(): row for row, image in enumerate(PIXELS)}
    return [index[image.numpy().tobytes()] for image in split.pixels]


def test_class_folders_alone_are_divided_into_fixed_stratified_parts(fill, tmp_path):
    fill(tmp_path / "things", range(60))
    data = load("things", tmp_path)
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [44, 4, 12]
    assert sorted(row for part in parts for row in rows_of(part)) == list(range(60))
    for part in parts:
        assert part.labels.tolist() == [row % 3 for row in rows_of(part)]
        assert part.classes == ("cups", "test-tubes", "validators")
    assert torch.bincount(data.test.labels).tolist() == [4, 4, 4]
    assert load("things", tmp_path).test.hash == data.test.hash


def test_train_and_test_folders_are_kept_as_they_are(fill, tmp_path):
    fill(tmp_path / "things" / "train", range(40))
    fill(tmp_path / "things" / "test", range(40, 42))  # no image of the third class
    data = load("things", tmp_path)
    assert rows_of(data.test) == [40, 41]
    assert data.test.labels.tolist() == [40 % 3, 41 % 3]
    assert sorted(rows_of(data.train) + rows_of(data.validation)) == list(range(40))
    assert len(data.validation) == 4
    assert data.classes == 3


def test_validation_folder_is_used(fill, tmp_path):
    for part, rows in (("train", range(9)), ("validation", range(9, 15)), ("test", range(15, 18))):
        fill(tmp_path / "things" / part, rows)
    data = load("things", tmp_path)
    assert sorted(rows_of(data.train)) == list(range(9))
    assert sorted(rows_of(data.validation)) == list(range(9, 15))
    assert [part.name for part in (data.train, data.validation)] == ["things/train", "things/validation"]


def test_folder_may_be_given_by_its_path(fill, tmp_path, monkeypatch):
    fill(tmp_path / "things", range(60))
    monkeypatch.chdir(tmp_path)
    hashes = {
        load(str(tmp_path / "things")).test.hash,
        load("./things").test.hash,
        load("things", ".").test.hash,
    }
    assert len(hashes) == 1
    assert load("./things").name == "things"


def test_hidden_files_are_passed_over(fill, tmp_path):
    fill(tmp_path / "things", range(60))
    before = load("things", tmp_path).train.hash
    (tmp_path / "things" / "cups" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "things" / ".cache").mkdir()
    assert load("things", tmp_path).train.hash == before


def test_files_that_are_no_images_are_named(fill, tmp_path):
    fill(tmp_path / "things", range(60))
    (tmp_path / "things" / "cups" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"cups/notes\.txt is no image file"):
        load("things", tmp_path)


def test_damaged_image_is_named(fill, tmp_path):
    fill(tmp_path / "things", range(60))
    path = tmp_path / "things" / "cups" / "003.png"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(Failure, match=r"cups/003\.png is damaged"):
        load("things", tmp_path)


def test_images_of_several_sizes_are_refused(fill, encode, tmp_path):
    fill(tmp_path / "things", range(60))
    (tmp_path / "things" / "cups" / "003.png").write_bytes(encode(PIXELS[3, :, :2]))
    with pytest.raises(InputError, match=r"cups/003\.png is RGB 2x6 .*, those before it RGB 4x6"):
        load("things", tmp_path)


def test_parts_of_another_size_are_refused(fill, encode, tmp_path):
    fill(tmp_path / "things" / "train", range(30))
    (tmp_path / "things" / "test" / "cups").mkdir(parents=True)
    (tmp_path / "things" / "test" / "cups" / "0.png").write_bytes(encode(PIXELS[3, :, :2]))
    with pytest.raises(InputError, match=r"things/train is RGB 4x6 .*, things/test RGB 2x6"):
        load("things", tmp_path)


def test_test_class_without_training_images_is_refused(fill, tmp_path):
    fill(tmp_path / "things" / "train", range(30))
    fill(tmp_path / "things" / "test", range(3), kinds=("cups", "plates", "validators"))
    with pytest.raises(InputError, match="test has class folders that train lacks: plates"):
        load("things", tmp_path)


@pytest.mark.parametrize("part", ["train", "test"])
def test_train_without_test_is_refused(part, fill, tmp_path):
    fill(tmp_path / "things" / part, range(30))
    with pytest.raises(InputError, match=f"has {part} without"):
        load("things", tmp_path)


def test_folders_beside_train_and_test_are_refused(fill, tmp_path):
    for part in ("train", "test", "val"):
        fill(tmp_path / "things" / part, range(30))
    with pytest.raises(InputError, match="has train, test and val; only validation may stand beside them"):
        load("things", tmp_path)


def test_folder_without_images_says_what_it_must_hold(tmp_path):
    (tmp_path / "things" / "cups").mkdir(parents=True)
    with pytest.raises(InputError, match="holds no class folders with images; it must hold"):
        load("things", tmp_path)


@pytest.mark.parametrize("count", [3, 6])
def test_too_few_images_to_divide_are_refused(count, fill, tmp_path):
    fill(tmp_path / "things", range(count))
    with pytest.raises(InputError, match=r"too few to hold a (fifth|tenth) out"):
        load("things", tmp_path)
