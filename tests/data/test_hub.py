import datasets
import numpy as np
import pytest

from purifold.data.load import load
from purifold.errors import Failure, InputError

NAMES = [str(digit) for digit in range(10)]


@pytest.fixture
def hub(monkeypatch):
    """Answers `load_dataset` with a function of repository, configuration and split."""

    def install(answer):
        monkeypatch.setattr(
            datasets, "load_dataset", lambda name, config=None, split=None: answer(name, config, split)
        )

    return install


def test_hub_rows_are_loaded_as_local_ones_are(hub, encode, make, tmp_path):
    from purifold.data.load import sources

    parts = make(sources()["svhn"], tmp_path)
    asked = []

    def answer(name, config, split):
        asked.append((name, config, split))
        return datasets.Dataset.from_parquet(
            str(tmp_path / "svhn" / f"{split}-00000-of-00001.parquet"), cache_dir=str(tmp_path / "cache")
        )

    hub(answer)
    from_hub, local = load("svhn"), load("svhn", tmp_path)
    assert set(asked) == {("ufldl-stanford/svhn", "cropped_digits", part) for part in ("train", "test")}
    assert [part.hash for part in (from_hub.train, from_hub.validation, from_hub.test)] == [
        part.hash for part in (local.train, local.validation, local.test)
    ]
    np.testing.assert_array_equal(from_hub.test.pixels.numpy(), parts["test"][0])


def test_being_offline_is_one_line_that_says_what_to_do(hub):
    def offline(name, config, split):
        raise ConnectionError(f"Couldn't reach {name!r}\non the Hub")

    hub(offline)
    with pytest.raises(
        InputError, match=r"pass --data-root DIR .* ylecun/mnist in DIR/mnist, or go online"
    ) as caught:
        load("mnist")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [datasets.exceptions.DatasetNotFoundError("gone\nfar"), OSError(28, "No space left"), ValueError("bad")],
)
def test_any_other_trouble_is_a_failure_in_one_line(hub, error):
    def broken(name, config, split):
        raise error

    hub(broken)
    with pytest.raises(Failure, match=r"loading uoft-cs/cifar10 \(test\) from the Hub failed: ") as caught:
        load("cifar-10")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["btsc", "coil-100", "nips-2017"])
def test_data_sets_without_a_hub_copy_say_how_to_import_them(name):
    with pytest.raises(
        InputError, match=f"`purifold data import {name} ARCHIVE_DIR`, then pass --data-root DIR"
    ):
        load(name)
