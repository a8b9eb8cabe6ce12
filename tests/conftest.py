import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test; commands in other processes inherit it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PURIFOLD_CACHE", str(folder))
    return folder
