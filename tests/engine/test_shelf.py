"""What all shelves share: which files belong to an artefact, renames that come second, hashes read once."""

import os

import pytest

from purifold.engine.manifest import Damage, Manifest, sha256
from purifold.engine.shelf import HashCheck, parsed, place_of, rename_unless_there, stats

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"craft/{KEY}/images.bin", f"craft/{KEY}"),
        (f"train-classifier/{KEY}/deep/er/file", f"train-classifier/{KEY}"),
        (f"damaged/craft/{KEY}-0a1b2c/artefact.json", f"damaged/craft/{KEY}-0a1b2c"),
        (f"craft/{KEY}", None),  # a file of this name is no folder
        (f"damaged/{KEY}/file", None),
        (f"craft/{KEY}0/file", None),
        (f"craft/{KEY[:-1]}/file", None),
        (f".work/craft/{KEY}/file", None),
        (f"store/craft/{KEY}/file", None),  # a store within the folder
        ("runs/0001.json", None),
        ("runs.jsonl", None),
        ("Documents/thesis/thesis.tex", None),
    ],
)
def test_only_files_that_a_store_writes_have_a_place(path, place):
    assert place_of(path) == place


@pytest.fixture
def folder(tmp_path):
    """An artefact's folder of two files, one of them deeper."""
    found = tmp_path / "artefact"
    (found / "deep").mkdir(parents=True)
    (found / "one").write_bytes(b"one")
    (found / "deep" / "two").write_bytes(b"two")
    return found


@pytest.fixture
def manifest(folder, step):
    return Manifest.of(step, folder, run="abc", seconds=1.0, starts=1, device="cpu")


def test_stats_are_of_the_files_that_are_there(folder, manifest):
    (folder / "one").unlink()
    (folder / "other").write_bytes(b"not of the manifest")
    assert {name: status.st_size for name, status in stats(folder, manifest).items()} == {"deep/two": 3}
    folder.rename(folder.with_name("gone"))
    assert stats(folder, manifest) == {}
    folder.write_bytes(b"a file in place of the folder")
    assert stats(folder, manifest) == {}


def test_content_is_hashed_once_and_again_when_a_file_changed(folder, manifest, monkeypatch):
    read = []
    monkeypatch.setattr(
        "purifold.engine.manifest.sha256", lambda path: read.append(path.name) or sha256(path)
    )
    check = HashCheck()
    check(manifest, folder)
    check(manifest, folder)
    assert sorted(read) == ["one", "two"]
    (folder / "one").write_bytes(b"eno")
    os.utime(folder / "one", ns=(1, 1))
    for _ in range(2):  # what was found damaged stays so
        with pytest.raises(Damage, match="one has another SHA-256"):
            check(manifest, folder)


def test_of_two_renames_the_first_stays(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who").write_text(name)
    target = tmp_path / "kind" / KEY
    assert rename_unless_there(tmp_path / "first", target)
    assert not rename_unless_there(tmp_path / "second", target)
    assert (target / "who").read_text() == "first"
    assert (tmp_path / "second" / "who").read_text() == "second"


def test_a_rename_that_fails_otherwise_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        rename_unless_there(tmp_path / "nothing", tmp_path / "kind" / KEY)


def test_what_is_no_json_object_is_left_out():
    assert parsed([b'{"a": 1}', b'{"a": ', b"[1]", b"\xff", b"{}"]) == [{"a": 1}, {}]
