import datasets
import numpy as np
import pyarrow as pa
import pytest

from purifold.data.shard import Shard
from purifold.errors import Failure, InputError

FEATURES = datasets.Features(
    image=datasets.Image(),
    label=datasets.ClassLabel(names=["cat", "dog", "eel"]),
    Smiling=datasets.Value("bool"),
    sign=datasets.Value("int64"),
    weight=datasets.Value("float32"),
)


def shard(rows=2, **columns):
    arrays = {name: [pa.array(part) for part in parts] for name, parts in columns.items()}
    return Shard("FILE", rows, FEATURES, lambda name: iter(arrays[name]))


def cell(content):
    return {"bytes": content, "path": None}


def test_images_are_counted_over_all_arrays():
    held = shard(3, image=[[cell(b"a"), cell(b"b")], [cell(b"c")]])
    assert list(held.images("image")) == [(f"image {row} of FILE", bytes([97 + row])) for row in range(3)]


@pytest.mark.parametrize("empty", [None, {"bytes": None, "path": "elsewhere.png"}])
def test_image_without_its_content_is_refused(empty):
    held = shard(
        2, image=[pa.array([cell(b"a"), empty], pa.struct({"bytes": pa.binary(), "path": pa.string()}))]
    )
    with pytest.raises(InputError, match="image 1 of FILE has no bytes"):
        list(held.images("image"))


def test_column_of_another_kind_holds_no_images():
    with pytest.raises(InputError, match="column 'sign' of FILE must hold images, got Value"):
        list(shard(sign=[[1, 2]]).images("sign"))


def test_labels_come_with_the_names_of_the_classes():
    labels, names = shard(3, label=[[2, 0], [1]]).labels("label")
    assert labels.tolist() == [2, 0, 1]
    assert labels.dtype == np.int64
    assert names == ("cat", "dog", "eel")


def test_yes_or_no_column_has_no_as_class_zero():
    labels, names = shard(Smiling=[[True, False]]).labels("Smiling")
    assert labels.tolist() == [1, 0]
    assert names == ("not Smiling", "Smiling")


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_outside_the_classes_are_refused(label):
    with pytest.raises(InputError, match=r"column 'label' of FILE must lie in \[0, 3\), got"):
        shard(label=[[1, label]]).labels("label")


def test_column_without_classes_names_those_that_have_them():
    with pytest.raises(InputError, match=r"'sign' of FILE is no ClassLabel .*: label, Smiling"):
        shard(sign=[[1, 2]]).labels("sign")


def test_unknown_column_names_those_there_are():
    with pytest.raises(
        InputError, match="FILE has no column 'kind'; it has: image, label, Smiling, sign, weight"
    ):
        shard().labels("kind")


def test_empty_cells_are_refused():
    with pytest.raises(InputError, match="column 'sign' of FILE has 1 empty cells"):
        shard(sign=[[4, None]]).integers("sign")


def test_fractions_are_no_integers():
    with pytest.raises(InputError, match="column 'weight' of FILE must hold integers"):
        shard(weight=[[0.5, 1.0]]).integers("weight")


def test_fewer_cells_than_rows_is_damage():
    with pytest.raises(Failure, match="FILE is damaged: 2 of 3 cells in 'sign'"):
        shard(3, sign=[[4, 5]]).integers("sign")
