import datasets
import numpy as np
import pytest
import torch

from purifold.data.load import load
from purifold.data.table import Table
from purifold.errors import InputError

RANDOM = np.random.RandomState(2)
PIXELS = RANDOM.randint(0, 256, (60, 1, 3, 3)).astype(np.uint8)
OURS = Table(name="ours", summary="test", shape=None, classes=10, defaults=None)


@pytest.fixture
def fill(write, encode, tmp_path):
    def filled(part, rows, shape=(1, 3, 3), kind=None, shards=1, **others):
        pixels = [np.resize(PIXELS[row], shape) for row in rows]
        for shard, chosen in enumerate(np.array_split(np.arange(len(rows)), shards)):
            path = tmp_path / "ours" / f"{part}-{shard:05d}-of-{shards:05d}.parquet"
            columns = {name: [column[row] for row in chosen] for name, column in others.items()}
            labels = [rows[row] % 10 for row in chosen]
            write(path, [encode(pixels[row]) for row in chosen], labels, kind=kind, **columns)

    return filled


def test_shards_are_joined_in_order(fill, tmp_path):
    fill("train", range(40), shards=3)
    fill("test", range(40, 60), shards=2)
    test = OURS.load(tmp_path).test
    np.testing.assert_array_equal(test.pixels.numpy(), PIXELS[40:])
    assert test.labels.tolist() == [row % 10 for row in range(40, 60)]


def test_groups_of_all_shards_are_kept_together(fill, tmp_path):
    source = Table(name="ours", summary="test", shape=None, classes=10, defaults=None, group="sign")
    fill("train", [10 * row for row in range(6)] * 5, shards=4, sign=[row % 6 for row in range(30)])
    fill("test", range(3))
    data = source.load(tmp_path)
    train, validation = (
        {row.numpy().tobytes() for row in part.pixels} for part in (data.train, data.validation)
    )
    assert len(data.validation) == 5  # one sign; a tenth of 30 lies nearer to 5 images than to none
    assert not train & validation


def test_training_part_of_another_size_is_refused(fill, tmp_path):
    fill("train", range(40), shape=(1, 5, 3))
    fill("test", range(5))
    with pytest.raises(
        InputError, match=r"ours/train is greyscale 5x3 \(height x width\), ours/test greyscale 3x3"
    ):
        OURS.load(tmp_path)


def test_images_all_of_another_size_than_the_data_set_has_are_refused(fill, tmp_path):
    source = Table(name="ours", summary="test", shape=(1, 3, 3), classes=10, defaults=None)
    fill("test", range(5), shape=(1, 5, 3))
    with pytest.raises(InputError, match=r"00001\.parquet are greyscale 5x3 .*, those of ours greyscale 3x3"):
        source.load(tmp_path)


def test_parts_with_other_class_names_are_refused(fill, tmp_path):
    fill("train", range(40))
    fill("test", range(5), kind=datasets.ClassLabel(names=list("abcdefghij")))
    with pytest.raises(InputError, match="ours/train and ours/test name their classes differently"):
        OURS.load(tmp_path)


def test_another_number_of_classes_is_refused(fill, tmp_path):
    fill("test", range(5), kind=datasets.ClassLabel(names=[str(number) for number in range(12)]))
    with pytest.raises(InputError, match=r"test-00000-of-00001\.parquet names 12 classes, ours has 10"):
        OURS.load(tmp_path)


def test_file_without_rows_is_refused(fill, tmp_path):
    fill("test", [])
    with pytest.raises(InputError, match=r"test-00000-of-00001\.parquet holds no images"):
        OURS.load(tmp_path)


def test_validation_is_at_most_five_thousand_images(monkeypatch, fill, tmp_path):
    monkeypatch.setattr("purifold.data.divide.HELD_MOST", 2)
    fill("train", range(40))
    fill("test", range(5))
    assert len(OURS.load(tmp_path).validation) == 2


def test_too_few_training_images_are_refused(fill, tmp_path):
    fill("train", range(9))
    fill("test", range(5))
    with pytest.raises(InputError, match="ours/train has 9 images, too few to hold a tenth out"):
        OURS.load(tmp_path)


def test_official_validation_images_are_used_and_training_images_all_kept(fill, tmp_path):
    source = Table(name="ours", summary="test", shape=None, classes=10, defaults=None, validation="valid")
    for part, rows in (("train", range(30)), ("valid", range(30, 50)), ("test", range(50, 60))):
        fill(part, rows)
    data = source.load(tmp_path)
    np.testing.assert_array_equal(data.train.pixels.numpy(), PIXELS[:30])
    np.testing.assert_array_equal(data.validation.pixels.numpy(), PIXELS[30:50])
    assert data.validation.name == "ours/validation"


def test_celeba_takes_any_attribute_as_its_label(encode, tmp_path):
    face = encode(np.zeros((3, 218, 178), dtype=np.uint8), compress_level=1)
    features = datasets.Features(
        image=datasets.Image(), Smiling=datasets.Value("bool"), Male=datasets.Value("bool")
    )
    (tmp_path / "celeba").mkdir()
    for part in ("train", "valid", "test"):
        rows = {
            "image": [{"bytes": face, "path": None}] * 2,
            "Smiling": [True, False],
            "Male": [False, False],
        }
        path = tmp_path / "celeba" / f"{part}-00000-of-00001.parquet"
        datasets.Dataset.from_dict(rows, features=features).to_parquet(path)
    assert load("celeba", tmp_path).test.labels.tolist() == [1, 0]
    male = load("celeba:Male", tmp_path).test
    assert (male.name, male.labels.tolist(), male.classes) == (
        "celeba:Male/test",
        [0, 0],
        ("not Male", "Male"),
    )
    assert torch.equal(male.pixels, load("celeba", tmp_path).test.pixels)
