import errno
import os

import pytest
import torch
from safetensors.torch import load_file, save_file

from purifold import storage
from purifold.errors import Failure, InputError

TENSORS = {
    "weight": torch.linspace(-1, 1, 12).view(3, 4),
    "count": torch.tensor(7),
    "mask": torch.tensor([True, False]),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "none": torch.zeros(0, 3),
    "last": torch.arange(16.0).view(1, 2, 2, 4).contiguous(memory_format=torch.channels_last),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "some.safetensors"
    storage.write(path, TENSORS, {"epoch": 3, "rate": 0.1})
    return path


def test_what_was_written_is_read(file):
    tensors, record = storage.read(file)
    assert record == {"epoch": 3, "rate": 0.1}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_the_file_is_a_safetensors_file_that_others_read(file):
    assert torch.equal(load_file(file)["weight"], TENSORS["weight"])


def test_equal_content_gives_equal_bytes(file, tmp_path):
    storage.write(tmp_path / "again.safetensors", TENSORS, {"epoch": 3, "rate": 0.1})
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


def test_tensors_that_share_memory_are_kept_both(tmp_path):
    shared = torch.arange(6.0)
    storage.write(tmp_path / "x.safetensors", {"whole": shared, "part": shared[::2]}, {})
    tensors, _ = storage.read(tmp_path / "x.safetensors")
    assert tensors["part"].tolist() == [0.0, 2.0, 4.0]


def test_a_file_cut_anywhere_is_reported_as_damaged(file):
    content = file.read_bytes()
    for length in {0, 1, 7, 8, 9, 60, *range(0, len(content), 37), len(content) - 1}:
        file.write_bytes(content[:length])
        with pytest.raises(Failure, match=r"some.safetensors is damaged.*make it again") as error:
            storage.read(file)
        assert "\n" not in str(error.value)


def test_a_changed_byte_anywhere_is_noticed(file):
    content = file.read_bytes()
    for place in range(len(content)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises((Failure, InputError), match=r"some.safetensors (is damaged|was not written)"):
            storage.read(file)


def test_a_file_that_is_no_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "notes.safetensors"
    path.write_text("these are no weights, but quite some text instead of them")
    with pytest.raises(Failure, match=r"notes.safetensors is damaged"):
        storage.read(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    save_file({"weight": torch.ones(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match=r"foreign.safetensors was not written by purifold"):
        storage.read(tmp_path / "foreign.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*absent.safetensors"):
        storage.read(tmp_path / "absent.safetensors")


def test_a_folder_in_place_of_the_file_is_a_failure(tmp_path):
    (tmp_path / "x.safetensors").mkdir()
    with pytest.raises(Failure, match=r"cannot read .*x.safetensors"):
        storage.read(tmp_path / "x.safetensors")


@pytest.mark.parametrize("record", [{"rate": float("nan")}, {"path": object()}])
def test_a_record_that_is_no_json_is_refused_and_nothing_written(file, record):
    before = file.read_bytes()
    with pytest.raises(InputError, match="must be JSON"):
        storage.write(file, TENSORS, record)
    assert file.read_bytes() == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file_and_leaves_no_other(file, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = file.read_bytes()
    monkeypatch.setattr(os, call, full)
    with pytest.raises(
        Failure, match=r"No space left.*free some space; what was there before is kept"
    ) as error:
        storage.write(file, {"weight": torch.zeros(1)}, {"epoch": 4})
    assert "\n" not in str(error.value)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's always full device")
def test_a_disk_that_fills_up_while_writing_keeps_the_old_file(file, monkeypatch):
    before = file.read_bytes()
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(storage, "open", lambda *_: full, raising=False)
        with pytest.raises(Failure, match="No space left"):
            storage.write(file, {"weight": torch.zeros(100_000)}, {})
    assert file.read_bytes() == before


def test_a_writer_that_is_stopped_leaves_the_old_file(file, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    before = file.read_bytes()
    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        storage.write(file, {"weight": torch.zeros(1)}, {})
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]
