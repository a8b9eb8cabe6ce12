"""What holds for every data set that discovery finds, on small files of its format."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from purifold.data.load import load, sources
from purifold.data.table import Table
from purifold.errors import Failure, InputError

TABLES = [source for source in sources().values() if isinstance(source, Table)]
tables = pytest.mark.parametrize("source", TABLES, ids=lambda source: source.name)
everything = pytest.mark.parametrize("name", sources())


@pytest.fixture
def data_set(name, make, tmp_path):
    if isinstance(sources()[name], Table):
        make(sources()[name], tmp_path)
    return load(name, tmp_path)


def present(data_set):
    return [part for part in (data_set.train, data_set.validation, data_set.test) if part is not None]


def rows(split):
    return {image.numpy().tobytes() for image in split.pixels}


def prepared(source, pixels):
    if source.prepare is None:
        return pixels
    images = (source.prepare(Image.fromarray(image.transpose(1, 2, 0)), "image") for image in pixels)
    return np.stack([np.asarray(image).transpose(2, 0, 1) for image in images])


def one_line(caught):
    assert "\n" not in str(caught.value)
    return str(caught.value)


@everything
def test_source_describes_what_it_loads(name, data_set):
    source = sources()[name]
    assert data_set.name == name
    assert source.summary
    assert "\n" not in source.summary
    assert source.shape in (None, data_set.shape)
    assert data_set.classes == source.classes
    assert [part.name for part in present(data_set)][-1] == f"{name}/test"


@everything
def test_default_epsilons_ascend_within_the_image_range(name):
    defaults = sources()[name].defaults
    if defaults is not None:
        assert defaults.epsilons[0] > 0
        assert defaults.epsilons[-1] <= 1
        assert list(defaults.epsilons) == sorted(set(defaults.epsilons))
        assert defaults.latent > 0


@everything
def test_parts_share_no_image(name, data_set):
    # a few of scikit-learn's digits are equal in pixels; none of the random images are
    parts = [rows(part) for part in present(data_set)]
    if name != "digits":
        assert sum(len(part) for part in parts) == len(set().union(*parts))
    assert all(part for part in parts)


@everything
def test_loading_twice_gives_the_same_hashes(name, data_set, tmp_path):
    again = load(name, tmp_path)
    assert [part.hash for part in present(again)] == [part.hash for part in present(data_set)]


@tables
def test_test_part_is_what_was_written_in_order(source, make, tmp_path):
    pixels, labels, _ = make(source, tmp_path)["test"]
    test = load(source.name, tmp_path).test
    np.testing.assert_array_equal(test.pixels.numpy(), prepared(source, pixels))
    assert test.labels.tolist() == labels.tolist()


@tables
def test_training_and_validation_images_are_the_written_ones_with_their_labels(source, make, tmp_path):
    parts = make(source, tmp_path)
    data_set = load(source.name, tmp_path)
    if source.train is None:
        assert data_set.train is data_set.validation is None
        return
    written = {}
    for part in {source.train, source.validation} - {None}:
        pixels, labels, _ = parts[part]
        written |= dict(zip((image.tobytes() for image in prepared(source, pixels)), labels, strict=True))
    both = [data_set.train, data_set.validation]
    loaded = {
        image.numpy().tobytes(): int(label)
        for part in both
        for image, label in zip(part.pixels, part.labels, strict=True)
    }
    assert loaded == written
    assert sum(map(len, both)) == len(written)


@pytest.mark.parametrize(
    "source", [source for source in TABLES if source.group], ids=lambda source: source.name
)
def test_no_group_of_a_class_straddles_training_and_validation(source, make, tmp_path):
    pixels, labels, groups = make(source, tmp_path)[source.train]
    keys = {
        image.tobytes(): (int(label), group)
        for image, label, group in zip(pixels, labels, groups[source.group], strict=True)
    }
    data_set = load(source.name, tmp_path)
    train, validation = ({keys[row] for row in rows(part)} for part in (data_set.train, data_set.validation))
    assert len(train & validation) == 0
    assert validation


@tables
def test_missing_folder_is_named_with_what_is_there(source, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InputError, match=f"no folder {source.name}; it has: elsewhere") as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_folder_without_its_files_is_refused(source, tmp_path):
    (tmp_path / source.name).mkdir()
    (tmp_path / source.name / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"test-00000-of-00001\.parquet; it has: notes\.txt") as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_truncated_file_is_named(source, make, tmp_path):
    make(source, tmp_path)
    path = tmp_path / source.name / "test-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Failure, match=str(path)) as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_another_column_name_is_refused_with_the_columns_there_are(source, make, write, encode, tmp_path):
    make(source, tmp_path)
    path = tmp_path / source.name / "test-00000-of-00001.parquet"
    content = encode(np.zeros((1, 4, 4), dtype=np.uint8))
    write(path, [content], [0], image="picture", label="kind of it")
    with pytest.raises(InputError, match=r"no column .*; it has: picture, kind of it") as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_cut_short_image_is_named_by_file_and_row(source, make, tmp_path):
    spoil(source, make, tmp_path, lambda content: content[: len(content) // 2])
    with pytest.raises(Failure, match=r"image 1 of .*test-00000-of-00001\.parquet is damaged") as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_another_image_size_is_refused(source, make, tmp_path):
    spoil(source, make, tmp_path, lambda content: resized(content, (5, 7)))
    with pytest.raises(InputError, match=r"image 1 of .*5") as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_another_mode_among_the_images_is_refused(source, make, tmp_path):
    spoil(source, make, tmp_path, other_mode)
    with pytest.raises(InputError, match=r"image 1 of .*(RGB|greyscale)") as caught:
        load(source.name, tmp_path)
    one_line(caught)


@tables
def test_label_column_may_be_named_after_a_colon(source, make, tmp_path):
    make(source, tmp_path)
    plain, named = load(source.name, tmp_path), load(f"{source.name}:{source.label}", tmp_path)
    assert torch.equal(plain.test.labels, named.test.labels)
    assert named.name == f"{source.name}:{source.label}"


@tables
def test_image_column_is_no_label(source, make, tmp_path):
    make(source, tmp_path)
    with pytest.raises(InputError, match="no ClassLabel and no bool; columns with classes: ") as caught:
        load(f"{source.name}:{source.image}", tmp_path)
    assert source.label in one_line(caught).rpartition(":")[2]


def spoil(source, make, root, change):
    """Writes the small data set with the second test image changed."""
    import datasets

    make(source, root)
    path = root / source.name / "test-00000-of-00001.parquet"
    table = datasets.Dataset.from_parquet(str(path), cache_dir=str(root / "cache"))
    table = table.cast_column(source.image, datasets.Image(decode=False))
    cells = [dict(cell) for cell in table[source.image]]
    cells[1]["bytes"] = change(cells[1]["bytes"])
    columns = {name: table[name][:] for name in table.column_names} | {source.image: cells}
    features = datasets.Features(table.features | {source.image: datasets.Image()})
    datasets.Dataset.from_dict(columns, features=features).to_parquet(path)


def resized(content, size):
    return saved(Image.open(io.BytesIO(content)).resize(size))


def other_mode(content):
    image = Image.open(io.BytesIO(content))
    return saved(image.convert("RGB" if image.mode == "L" else "L"))


def saved(image):
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
