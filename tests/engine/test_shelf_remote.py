"""A store on a file system that is not this machine's: the manifest is what counts, and comes last."""

import uuid

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from purifold.engine.manifest import MANIFEST, Damage, Manifest
from purifold.engine.shelf_remote import RemoteShelf


@pytest.fixture
def system():
    return MemoryFileSystem()


@pytest.fixture
def root():
    """Of its own: all file systems in memory are one."""
    return f"/{uuid.uuid4().hex}"


@pytest.fixture
def shelf(system, root, tmp_path):
    return RemoteShelf(system, root, tmp_path / "cache")


@pytest.fixture
def elsewhere(system, root, tmp_path):
    """The same store, seen from a machine that has fetched nothing yet."""
    return RemoteShelf(system, root, tmp_path / "elsewhere")


@pytest.fixture
def publish(tmp_path, shelf, step):
    """Publishes the artefact of a run, whose name is its content."""

    def published(run):
        folder = tmp_path / run
        (folder / "part").mkdir(parents=True)
        (folder / "part" / "who").write_text(run)
        manifest = Manifest.of(step, folder, run=run, seconds=1.0, starts=1, device="cpu")
        return shelf.publish(step, manifest, folder)

    return published


def who(shelf, step):
    return (shelf.fetch(step, shelf.manifest(step)) / "part" / "who").read_text()


def test_the_first_copy_stays_and_nothing_of_the_second_is_left(
    shelf, elsewhere, step, publish, system, root
):
    assert shelf.manifest(step) is None
    assert not shelf.published(step.place)
    assert publish("one")
    assert not publish("two")
    assert shelf.published(step.place)
    assert who(shelf, step) == who(elsewhere, step) == "one"
    assert not [path for path in system.find(root) if "two" in path]


def test_until_the_manifest_is_there_nothing_is(shelf, step, publish, system, monkeypatch):
    seen = []
    genuine = system.put_file

    def noted(source, target, **options):
        genuine(source, target, **options)
        seen.append(shelf.manifest(step))

    monkeypatch.setattr(type(system), "put_file", lambda self, *given, **options: noted(*given, **options))
    publish("one")
    assert seen == [None]
    assert shelf.manifest(step).run == "one"


def test_what_was_fetched_is_not_fetched_again_unless_it_was_changed(
    elsewhere, step, publish, system, monkeypatch
):
    publish("one")
    fetched = []
    genuine = system.get_file
    monkeypatch.setattr(
        type(system),
        "get_file",
        lambda self, *given, **options: (fetched.append(given), genuine(*given, **options)),
    )
    assert who(elsewhere, step) == who(elsewhere, step) == "one"
    assert len(fetched) == 1
    (elsewhere.fetch(step, elsewhere.manifest(step)) / "part" / "who").write_text("1ne")
    assert who(elsewhere, step) == "one"
    assert len(fetched) == 2


def test_a_changed_object_is_damage_and_nothing_of_it_stays(elsewhere, step, publish, system, root, tmp_path):
    publish("one")
    system.pipe_file(f"{root}/{step.place}/one/part/who", b"1ne")
    with pytest.raises(Damage, match="who"):
        elsewhere.fetch(step, elsewhere.manifest(step))
    assert not [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]


def test_a_missing_object_is_damage_and_can_be_set_aside(shelf, step, publish, system, root):
    publish("one")
    system.rm(f"{root}/{step.place}/one/part/who")
    with pytest.raises(Damage, match="who"):
        shelf.manifest(step)
    aside = shelf.set_aside(step)
    assert shelf.manifest(step) is None
    assert system.exists(f"{aside}/{MANIFEST}")
    assert publish("two")
    assert who(shelf, step) == "two"


def test_what_is_removed_is_gone_here_and_there(shelf, elsewhere, step, publish, tmp_path):
    publish("one")
    assert list(shelf.places()) == [step.place]
    shelf.remove(step.place)
    assert not elsewhere.published(step.place)
    assert shelf.places() == {}
    assert not (tmp_path / "cache" / step.place).exists()


def test_events_come_in_their_order_and_manifests_are_those_of_a_kind(shelf, elsewhere, step, publish):
    for number in range(12):
        shelf.append({"number": number})
    assert [event["number"] for event in elsewhere.events()] == list(range(12))
    publish("one")
    assert len(list(elsewhere.manifests(step.kind))) == 1
    assert list(elsewhere.manifests("other")) == []
