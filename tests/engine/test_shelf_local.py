"""A store in a folder: an artefact comes and goes by one rename, whatever looks at it meanwhile."""

import errno
from pathlib import Path

import pytest

from purifold.engine.manifest import MANIFEST, Damage, Manifest
from purifold.engine.shelf_local import LocalShelf


@pytest.fixture
def shelf(tmp_path):
    return LocalShelf(tmp_path / "store")


@pytest.fixture
def publish(tmp_path, shelf, step):
    """Publishes the artefact of a run, whose name is its content."""

    def published(run):
        folder = tmp_path / run
        folder.mkdir()
        (folder / "who").write_text(run)
        manifest = Manifest.of(step, folder, run=run, seconds=1.0, starts=1, device="cpu")
        return shelf.publish(step, manifest, folder)

    return published


def test_the_first_copy_stays(shelf, step, publish, tmp_path):
    assert shelf.manifest(step) is None
    assert publish("one")
    assert not publish("two")
    found = shelf.manifest(step)
    assert found.run == "one"
    assert shelf.fetch(step, found) == tmp_path / "store" / step.place
    assert (tmp_path / "store" / step.place / "who").read_text() == "one"
    assert shelf.published(step.place)


def test_what_is_published_between_two_looks_is_not_taken_for_damage(shelf, step, publish, monkeypatch):
    """Where machines share no lock, a neighbour may publish while the manifest is looked for."""
    genuine = Path.read_bytes

    def late(path):
        if path.name == MANIFEST and not path.exists():
            publish("neighbour")
            raise FileNotFoundError(errno.ENOENT, "not there yet", str(path))
        return genuine(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", late)
        assert shelf.manifest(step) is None
    assert shelf.manifest(step).run == "neighbour"


def test_a_folder_without_a_manifest_is_damage_and_can_be_set_aside(shelf, step, publish, tmp_path):
    publish("one")
    (tmp_path / "store" / step.place / MANIFEST).unlink()
    with pytest.raises(Damage, match=r"artefact\.json is missing"):
        shelf.manifest(step)
    kept = Path(shelf.set_aside(step))
    assert kept.parent == tmp_path / "store" / "damaged" / step.kind
    assert (kept / "who").read_text() == "one"
    assert shelf.manifest(step) is None
    assert list(shelf.places().values()) == [3]
    shelf.remove(next(iter(shelf.places())))
    assert shelf.places() == {}
    assert not (tmp_path / "store" / ".gone").exists()


def test_events_come_in_their_order_without_torn_lines(shelf, tmp_path):
    assert shelf.events() == []
    for number in range(3):
        shelf.append({"number": number})
    with (tmp_path / "store" / "runs.jsonl").open("ab") as log:
        log.write(b'{"number": 3')
    assert shelf.events() == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_a_log_that_is_cut_by_a_full_disk_says_so(shelf, monkeypatch):
    class Short:
        """Takes but half of a line."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, line):
            return len(line) // 2

    monkeypatch.setattr(Path, "open", lambda *_, **__: Short())
    with pytest.raises(OSError, match="No space left") as caught:
        shelf.append({"number": 0})
    assert caught.value.errno == errno.ENOSPC


def test_manifests_are_those_of_a_kind(shelf, step, publish):
    publish("one")
    assert [Manifest.read(content, step).run for content in shelf.manifests(step.kind)] == ["one"]
    assert list(shelf.manifests("other")) == []
