"""A run on an image and on a folder: what is written, what is told, what is refused."""

import json
import os
import time
from typing import ClassVar, final

import numpy as np
import pytest
from PIL import Image

from purifold.defenses.base import Purifier
from purifold.engine import purify_run
from purifold.engine.purify import RECEIPT
from purifold.engine.purify_run import purify_paths
from purifold.errors import Failure, InputError


@final
class Halved(Purifier):
    """Half as bright."""

    name: ClassVar[str] = "halved"
    stochastic = False
    differentiable = True

    def forward(self, images):
        return images / 2

    @classmethod
    def example(cls, channels, size):
        return cls()


@pytest.fixture(autouse=True)
def loaded(monkeypatch):
    """What is asked of the weights: a purifier in training mode, told how it is called."""
    monkeypatch.setattr(
        purify_run, "load_purifier", lambda weights, options: (Halved(), (3, 8, 8), f"halved:{options}")
    )


@pytest.fixture
def photos(tmp_path):
    """Three images, one in a folder inside."""
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.png", "b.bmp", "inner/c.png"):
        Image.fromarray(np.full((9, 7, 3), 200, dtype=np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def run(tmp_path):
    """Purifies with weights in a folder of their own."""
    (tmp_path / "weights").mkdir()

    def purified(source, target, options="", seed=0):
        return purify_paths(source, target, tmp_path / "weights", options, seed=seed, device="cpu")

    return purified


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def test_one_image_is_written_where_it_is_said_and_again_each_time(photos, tmp_path, run):
    target = tmp_path / "new.png"
    target.write_text("in the way")
    for _ in range(2):
        assert run(photos / "a.png", target) == f"wrote {target}."
        assert pixels(target).shape == (9, 7, 3)
        assert (pixels(target) == 100).all()


def test_a_folder_is_purified_once_and_again_where_an_image_is_newer(photos, tmp_path, run):
    out = tmp_path / "out"
    assert run(photos, out) == "3 images purified, 0 were there before."
    assert run(photos, out) == "0 images purified, 3 were there before."
    later = time.time() + 10
    os.utime(photos / "b.bmp", (later, later))
    assert run(photos, out) == "1 images purified, 2 were there before."
    assert (pixels(out / "inner/c.png") == 100).all()


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("photos/a.png", "photos/a.png", "is the image itself"),
        ("photos/a.png", "photos", "is a folder and .* one image"),
        ("photos/a.png", "a.doc", "must end in"),
        ("photos", "photos/a.png", "is a file and .* a folder"),
    ],
)
def test_what_cannot_go_there_is_refused_before_anything_is_written(
    photos, tmp_path, run, source, target, says
):
    with pytest.raises(InputError, match=says):
        run(tmp_path / source, tmp_path / target)
    assert not (tmp_path / "a.png").exists()
    assert (pixels(photos / "a.png") == 200).all()


def test_a_receipt_says_how_the_images_were_made_and_keeps_others_out(photos, tmp_path, run):
    (tmp_path / "weights/0123.safetensors").touch()
    run(photos, tmp_path / "out", "stride=2", seed=3)
    made = json.loads(json.loads((tmp_path / "out" / RECEIPT).read_text())["made"])
    assert made == {
        "defense": "halved:stride=2",
        "seed": 3,
        "source": str(photos.resolve()),
        "weights": ["0123"],
    }
    for options, seed in (("stride=3", 3), ("stride=2", 4)):
        with pytest.raises(InputError, match="purified otherwise"):
            run(photos, tmp_path / "out", options, seed=seed)
    (tmp_path / "weights/0123.safetensors").rename(tmp_path / "weights/4567.safetensors")
    with pytest.raises(InputError, match="purified otherwise"):
        run(photos, tmp_path / "out", "stride=2", seed=3)


def test_images_of_another_folder_do_not_count_as_made(photos, tmp_path, run):
    run(photos, tmp_path / "out")
    others = tmp_path / "others"
    others.mkdir()
    Image.new("RGB", (3, 2)).save(others / "a.png")
    os.utime(others / "a.png", (1, 1))
    with pytest.raises(InputError, match="another folder"):
        run(others, tmp_path / "out")


def test_one_image_that_is_left_out_is_told_once(photos, tmp_path, run, capsys):
    (photos / "bad.png").write_text("no image")
    with pytest.raises(Failure, match=r"^\S+/bad\.png is damaged"):
        run(photos / "bad.png", tmp_path / "new.png")
    assert "".join(capsys.readouterr()) == ""


def test_what_was_left_out_is_counted_and_the_first_is_named(photos, tmp_path, run, capsys):
    run(photos, tmp_path / "out")
    (photos / "bad.png").write_text("no image")
    (photos / "worse.png").write_text("no image")
    with pytest.raises(
        Failure, match=r"0 images purified, 3 were there before, 2 left out; the first, .*bad\.png: is dam"
    ):
        run(photos, tmp_path / "out")
    told = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert [line.partition("photos/")[2].partition(":")[0] for line in told] == ["bad.png", "worse.png"]
