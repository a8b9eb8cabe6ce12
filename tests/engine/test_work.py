"""The folder where artefacts are made: one maker at a time, and nothing left of those that are gone."""

import os
import time
from contextlib import suppress

import pytest

from purifold.engine.work import STALE_HOURS, Busy, WorkFolder

PLACE = "train/0123"


@pytest.fixture
def work(tmp_path):
    return WorkFolder(tmp_path)


def names(root):
    return sorted(path.name for path in (root / "train").iterdir())


def test_one_holds_a_lock_at_a_time_and_an_error_gives_it_back(work, tmp_path):
    other = WorkFolder(tmp_path)
    with suppress(KeyError), work.lock(PLACE, patient=False):
        with pytest.raises(Busy, match="another process makes train/0123"), other.lock(PLACE, patient=False):
            pass
        with other.lock("train/4567", patient=False):
            raise KeyError
    with other.lock(PLACE, patient=False):
        pass


def test_every_start_is_counted_and_has_an_empty_folder_of_its_own(work):
    seen = []
    for _ in range(3):
        with work.place(PLACE) as place:
            assert list(place.folder.iterdir()) == []
            (place.folder / "half").write_text("x")
            place.scratch.mkdir(exist_ok=True)
            (place.scratch / str(place.starts)).write_text("x")
            seen.append(place)
    assert [place.starts for place in seen] == [1, 2, 3]
    assert len({place.run for place in seen}) == 3
    assert not any(place.folder.exists() for place in seen)
    assert sorted(path.name for path in seen[0].scratch.iterdir()) == ["1", "2", "3"]


def test_a_folder_that_was_renamed_away_stays_where_it_went(work, tmp_path):
    with work.place(PLACE) as place:
        (place.folder / "done").write_text("x")
        place.folder.rename(tmp_path / "published")
    assert (tmp_path / "published" / "done").exists()


def test_what_is_published_leaves_nothing_but_the_copies_of_other_starts(work, tmp_path):
    with work.lock(PLACE, patient=False), work.place(PLACE) as place:
        place.scratch.mkdir()
        work.clear(PLACE)
        assert names(tmp_path) == [f"0123.run-{place.run}"]
    with work.place(PLACE) as again:
        assert again.starts == 1


@pytest.mark.parametrize(("hours", "stays"), [(STALE_HOURS - 1, True), (STALE_HOURS + 1, False)])
def test_a_copy_is_as_old_as_the_latest_file_in_it(work, tmp_path, hours, stays):
    copy = tmp_path / f"{PLACE}.run-dead"
    (copy / "deep").mkdir(parents=True)
    (copy / "deep" / "file").write_text("x")
    for path, age in ((copy / "deep" / "file", hours), (copy / "deep", 99), (copy, 99)):
        os.utime(path, (time.time() - age * 3600,) * 2)
    work.sweep(lambda place: False)
    assert copy.exists() == stays


def test_only_scratch_of_published_steps_that_nobody_makes_is_swept(work, tmp_path):
    for key in ("open", "done", "held"):
        (tmp_path / "train" / f"{key}.scratch").mkdir(parents=True)
    with WorkFolder(tmp_path).lock("train/held", patient=False):
        work.sweep(lambda place: place in ("train/done", "train/held"))
    assert [name for name in names(tmp_path) if name.endswith("scratch")] == ["held.scratch", "open.scratch"]
