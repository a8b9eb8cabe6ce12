"""Commands that look and import: what they pass on, and what they print."""

import pytest
from typer.testing import CliRunner

from purifold.cli import app
from purifold.cli.browse import Listable
from purifold.report.catalogue import catalogue


@pytest.fixture
def typed():
    """Runs a command; gives what it printed."""

    def run(*words):
        found = CliRunner().invoke(app, words, catch_exceptions=False)
        assert found.exit_code == 0, found.output
        return found.stdout

    return run


@pytest.mark.parametrize("what", ["defenses", "papers"])
def test_a_list_is_the_catalogue_a_line_an_entry(typed, what):
    assert typed("list", what).splitlines() == list(catalogue(what))


@pytest.mark.parametrize("what", list(Listable))
def test_all_that_can_be_listed_is_in_the_catalogue(what):
    assert list(catalogue(what.value))


def test_a_data_set_is_looked_for_where_it_is_said(typed, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "purifold.report.catalogue.data_set", lambda *given: asked.append(given) or ["one", "two"]
    )
    assert typed("data", "show", "mnist", "--data-root", str(tmp_path)) == "one\ntwo\n"
    assert typed("data", "show", "digits") == "one\ntwo\n"
    assert asked == [("mnist", tmp_path), ("digits", None)]


def test_an_archive_is_imported_into_the_folder_that_is_said(typed, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "purifold.data.importers.archive.import_archive",
        lambda name, archive, root: asked.append((name, archive, root)) or root / name,
    )
    words = ("data", "import", "btsc", str(tmp_path / "unpacked"), "--data-root", str(tmp_path / "data"))
    assert typed(*words) == f"wrote {tmp_path / 'data' / 'btsc'}\n"
    assert asked == [("btsc", tmp_path / "unpacked", tmp_path / "data")]
