"""Every importer, by discovery: a folder whole and alone, or nothing and a line that says why."""

import pytest

from purifold.data.importers.archive import import_archive, importers
from purifold.data.load import sources
from purifold.errors import Failure, InputError

each = pytest.mark.parametrize("name", importers())


def test_every_data_set_without_a_hub_copy_has_an_importer():
    assert list(importers()) == [
        name for name, source in sources().items() if name != "digits" and not source.hub
    ]


@each
def test_folder_is_written_whole_and_alone(archives, name, tmp_path):
    archives[name](tmp_path / "archive")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*")}
    folder = import_archive(name, tmp_path / "archive", tmp_path / "root")
    assert folder == tmp_path / "root" / name
    assert list((tmp_path / "root").iterdir()) == [folder]
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*")} == before


@each
def test_full_disk_leaves_nothing_behind(archives, name, tmp_path, monkeypatch):
    import datasets

    written = datasets.Dataset.to_parquet

    def full(self, path):
        written(self, path)
        raise OSError(28, "No space left on device")

    archives[name](tmp_path / "archive")
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
def test_cut_short_image_is_named(archives, name, tmp_path):
    archives[name](tmp_path / "archive")
    path = sorted(path for path in (tmp_path / "archive").rglob("*.p*m")) or sorted(
        (tmp_path / "archive").rglob("*.png")
    )
    path[0].write_bytes(path[0].read_bytes()[:60])
    with pytest.raises(Failure, match=f"{path[0].name} is damaged"):
        import_archive(name, tmp_path / "archive", tmp_path / "root")


def test_unknown_importer_gives_the_nearest(tmp_path):
    with pytest.raises(InputError, match="unknown importer 'coil100'; did you mean 'coil-100'"):
        import_archive("coil100", tmp_path, tmp_path)
