import pytest
import torch


@pytest.fixture(autouse=True)
def same_threads():
    """No test leaves torch more threads than it found: on few cores they slow each test after it."""
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test; commands in other processes inherit it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PURIFOLD_CACHE", str(folder))
    return folder


@pytest.fixture
def few_queries(monkeypatch):
    """The sanity check that asks for scores alone asks briefly: for tests of what stands around it."""
    monkeypatch.setattr("purifold.evaluation.attack_checks.QUERIES", 20)


@pytest.fixture(scope="session")
def tiny():
    """Makes the scale of a study that takes a second; keywords are its sizes."""
    from purifold.engine.scale import Scale

    sizes = {"images": 9, "seen": 1_100, "encoded": 2_200, "epochs": 1, "played": 1_000}
    rest = {"draws": 2, "eot": 2, "audit": 4}
    return lambda **changes: Scale(name="smoke", **sizes | rest | changes)


@pytest.fixture(scope="session")
def composed(tiny):
    """Makes the experiments on digits that a question has, at the tiny scale or another one."""
    from purifold.engine.compose import Question, compose
    from purifold.engine.step import Resources

    return lambda scale=None, **question: compose(
        Question(data="digits", **question), scale or tiny(), Resources()
    )
