import socket

import numpy as np
import pyarrow.parquet as pq
import pytest

from purifold.data.local import local_folder, local_shards
from purifold.errors import Failure, InputError

PIXELS = np.arange(12 * 4, dtype=np.uint8).reshape(12, 1, 2, 2)


@pytest.fixture
def folder(write, encode, tmp_path):
    for index, rows in enumerate((range(5), range(5, 7), range(7, 12))):
        path = tmp_path / "ours" / f"train-{index:05d}-of-00003.parquet"
        write(path, [encode(PIXELS[row]) for row in rows], [row % 10 for row in rows])
    return tmp_path / "ours"


def test_shards_come_in_the_order_of_their_numbers(folder):
    shards = local_shards(folder, "train")
    assert [shard.rows for shard in shards] == [5, 2, 5]
    labels = np.concatenate([shard.labels("label")[0] for shard in shards])
    assert labels.tolist() == [row % 10 for row in range(12)]


def test_missing_shard_is_named(folder):
    (folder / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(InputError, match=r"lacks train-00001-of-00003\.parquet; the train part has 3 files"):
        local_shards(folder, "train")


def test_two_sets_of_shards_are_refused(folder, write, encode):
    write(folder / "train-00000-of-00001.parquet", [encode(PIXELS[0])], [0])
    with pytest.raises(InputError, match="mixes train files of 00001 and of 00003"):
        local_shards(folder, "train")


def test_part_of_another_name_is_not_taken(folder):
    with pytest.raises(InputError, match=r"no rain-00000-of-00001\.parquet; it has: train-00000"):
        local_shards(folder, "rain")


def test_root_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"data root .*nowhere is no folder"):
        local_folder(tmp_path / "nowhere", "mnist")


def test_empty_root_is_said_to_be_empty(tmp_path):
    with pytest.raises(InputError, match="no folder mnist; it has: nothing"):
        local_folder(tmp_path, "mnist")


@pytest.mark.parametrize("length", [0, 3, 200, -1, -500])
def test_file_cut_short_is_a_failure_that_names_it(folder, length):
    path = folder / "train-00001-of-00003.parquet"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(Failure, match=str(path)) as caught:
        local_shards(folder, "train")
    assert "\n" not in str(caught.value)


def test_damaged_pages_are_a_failure_that_names_the_file(folder):
    path = folder / "train-00002-of-00003.parquet"
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    with pytest.raises(Failure, match=str(path)):
        list(local_shards(folder, "train")[2].images("image"))


@pytest.mark.parametrize(
    "described",
    [b'{"info": {"feat', b'{"info": {"features": {"image": {"_type": "Imago"}}}}', b"\xff"],
)
def test_damaged_description_of_the_columns_is_a_failure(folder, described):
    path = folder / "train-00000-of-00003.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"huggingface": described}), path)
    with pytest.raises(Failure, match="its columns are not described"):
        local_shards(folder, "train")


def test_reading_writes_nothing_beside_the_files_and_asks_no_server(folder, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    before = sorted(folder.parent.rglob("*"))
    shards = local_shards(folder, "train")
    assert sum(len(list(shard.images("image"))) for shard in shards) == 12
    assert sorted(folder.parent.rglob("*")) == before
