"""The manifest: what it says of a folder, and what it takes for damage when it is read."""

import hashlib
import json
import os
from dataclasses import replace

import pytest

from purifold.engine.manifest import MANIFEST, Damage, Manifest, StoredFile, hardware, sizes, versions
from purifold.errors import Failure


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "deep" / "er" / "two").write_bytes(b"")
    return tmp_path


@pytest.fixture
def manifest(folder, step):
    return Manifest.of(step, folder, run="abc", seconds=1.23456, starts=2, device="cpu")


def test_it_lists_every_file_with_its_size_and_hash(folder, manifest, step):
    assert manifest.files == {
        "one": StoredFile(3, hashlib.sha256(b"one").hexdigest()),
        "deep/er/two": StoredFile(0, hashlib.sha256(b"").hexdigest()),
    }
    assert (manifest.key, manifest.description) == (step.key, step.describe())
    assert (manifest.seconds, manifest.starts, manifest.run) == (1.2346, 2, "abc")
    manifest.check_sizes(sizes(folder))
    manifest.check_hashes(folder)


def test_what_is_written_is_read_back(manifest, step):
    assert Manifest.read(manifest.to_json(), step) == manifest


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda values: values.pop("run"), "cannot be read"),
        (lambda values: values.update(more=1), "cannot be read"),
        (lambda values: values["files"]["one"].pop("sha256"), "cannot be read"),
        (lambda values: values.update(files=[]), "cannot be read"),
        (lambda values: values.update(run=7), "cannot be read"),
        (lambda values: values["files"].update({"/etc/passwd": values["files"]["one"]}), "outside"),
        (lambda values: values["files"].update({"a/../../b": values["files"]["one"]}), "outside"),
        (lambda values: values.update(run="../../elsewhere"), "outside"),
        (lambda values: values["description"].update(version=99), "describes another step"),
    ],
)
def test_what_is_no_manifest_of_the_step_is_damage(manifest, step, edit, reason):
    values = json.loads(manifest.to_json())
    edit(values)
    with pytest.raises(Damage, match=reason):
        Manifest.read(json.dumps(values).encode(), step)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"one": 3}, "deep/er/two is missing"),
        ({"one": 4, "deep/er/two": 0}, "one has 4 bytes instead of 3"),
    ],
)
def test_a_missing_or_cut_file_is_damage(manifest, found, reason):
    with pytest.raises(Damage, match=reason):
        manifest.check_sizes(found)


def test_other_files_are_not_looked_at(manifest, folder):
    (folder / "more").write_text("more")
    manifest.check_sizes(sizes(folder))
    manifest.check_hashes(folder)


def test_a_changed_byte_or_a_file_that_went_is_damage(manifest, folder):
    (folder / "one").write_bytes(b"0ne")
    with pytest.raises(Damage, match="one has another SHA-256"):
        manifest.check_hashes(folder)
    (folder / "one").unlink()
    with pytest.raises(Damage, match="one is missing"):
        manifest.check_hashes(folder)


@pytest.mark.parametrize("name", [MANIFEST, "link", "pipe"])
def test_what_is_no_plain_file_cannot_be_in_an_artefact(tmp_path, name):
    path = tmp_path / name
    make = {"link": lambda: path.symlink_to("/etc/hosts"), "pipe": lambda: os.mkfifo(path)}
    make.get(name, path.touch)()
    with pytest.raises(Failure, match=f"{name} cannot be in an artefact"):
        sizes(tmp_path)


def test_a_file_deeper_down_may_have_the_manifest_s_name(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / MANIFEST).write_text("{}")
    assert sizes(tmp_path) == {f"deep/{MANIFEST}": 2}


def test_an_artefact_without_a_file_is_refused(tmp_path, step):
    with pytest.raises(Failure, match="only wrote no file"):
        Manifest.of(step, tmp_path, run="abc", seconds=1.0, starts=1, device="cpu")


def test_the_machine_and_the_packages_are_told(monkeypatch):
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: f"a GPU at {device}")
    assert hardware("cuda:1")["gpu"] == "a GPU at cuda:1"
    assert "gpu" not in hardware("cpu")
    assert versions()["torch"].startswith("2.")


def test_equal_artefacts_of_two_runs_differ_in_the_run_alone(folder, step, manifest):
    other = Manifest.of(step, folder, run="def", seconds=9.0, starts=1, device="cpu")
    assert replace(other, run="abc", seconds=1.2346, starts=2, created=manifest.created) == manifest
