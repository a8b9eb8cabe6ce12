"""Files through a purifier: the same pixels as in memory, whatever was there, is damaged or was stopped."""

import os
import threading
import time
from typing import ClassVar, final

import numpy as np
import pytest
import torch
from PIL import Image

from purifold.defenses.base import Purifier
from purifold.engine import purify
from purifold.engine.purify import LANES, RECEIPT, Deployed, folder_jobs, is_done, purify_files
from purifold.errors import Failure, InputError
from purifold.randomness import normal

random = np.random.RandomState(0)


def opened(path):
    """An image whose file is closed again."""
    with Image.open(path) as image:
        image.load()
        return image


@final
class Shifted(Purifier):
    """Half as bright, with noise if asked."""

    name: ClassVar[str] = "shifted"
    differentiable = True

    def __init__(self, noise=0.0):
        super().__init__()
        self.noise, self.stochastic = noise, noise > 0

    def forward(self, images):
        return (images / 2 + self.noise * normal(images.shape, images)).clamp(0, 1)

    @classmethod
    def example(cls, channels, size):
        return cls()


def deployed(noise=0.0, channels=3):
    return Deployed(purifier=Shifted(noise).eval(), channels=channels, seed=0, device="cpu")


@pytest.fixture
def photos(tmp_path):
    """A folder of images of several sizes and kinds, one in a folder inside."""
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    for name, shape in (("a.png", (9, 7, 3)), ("b.bmp", (3, 20)), ("inner/a.png", (5, 5, 4))):
        Image.fromarray(random.randint(0, 256, shape).astype(np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


def run(photos, out, system=None):
    jobs = [job for job in folder_jobs(photos, out, "made so") if not is_done(job)]
    return dict(purify_files(system or deployed(), jobs))


def test_every_image_is_purified_under_its_own_name(photos, tmp_path):
    out = tmp_path / "out"
    assert set(run(photos, out).values()) == {""}
    made = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert made == {"a.png", "b.png", "inner/a.png", RECEIPT}
    for source, target in (("a.png", "a.png"), ("b.bmp", "b.png")):
        before, after = np.array(opened(photos / source)), np.array(opened(out / target))
        expected = torch.from_numpy(before).float().div(255).div(2).mul(255).round().byte()
        assert np.array_equal(after, expected.numpy())
    inner = np.array(opened(out / "inner/a.png"))
    assert np.array_equal(inner[..., 3], np.array(opened(photos / "inner/a.png"))[..., 3])


def test_a_second_run_makes_what_is_missing_or_older_and_leaves_the_rest(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out, deployed(0.5))
    kept = {name: (out / name).read_bytes() for name in ("a.png", "b.png", "inner/a.png")}
    (out / "b.png").unlink()
    later = time.time() + 10
    os.utime(photos / "inner/a.png", (later, later))
    again = run(photos, out, deployed(0.5))
    assert {path.relative_to(photos).as_posix() for path in again} == {"b.bmp", "inner/a.png"}
    assert {name: (out / name).read_bytes() for name in kept} == kept  # each image has noise of its own


def test_what_cannot_be_read_is_left_out_and_ends_nothing(photos, tmp_path):
    (photos / "aa.png").write_text("no image")
    Image.fromarray(random.randint(0, 256, (4, 4, 4)).astype(np.uint8), mode=None).convert("CMYK").save(
        photos / "inks.tif"
    )
    found = {path.name: reason for path, reason in run(photos, tmp_path / "out").items()}
    assert "is damaged" in found["aa.png"]
    assert "mode CMYK" in found["inks.tif"]
    assert (tmp_path / "out/b.png").exists()
    assert not (tmp_path / "out/aa.png").exists()


def test_an_image_that_does_not_fit_into_memory_is_left_out_and_ends_nothing(photos, tmp_path, monkeypatch):
    def scarce(purifier, images):
        if images.shape[2:] == (3, 20):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return images

    monkeypatch.setattr(Shifted, "forward", scarce)
    ended = dict(purify_files(deployed(), folder_jobs(photos, tmp_path / "out", "made")))
    assert {path.name: reason.partition(" (")[0] for path, reason in ended.items() if reason} == {
        "b.bmp": "out of memory with a single image at a time"
    }
    assert len(ended) == 3


def test_a_run_that_dies_while_writing_leaves_no_half_image(photos, tmp_path, monkeypatch):
    real, out = os.replace, tmp_path / "out"

    def dies(source, target):
        if str(target).endswith("b.png"):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(Failure, match="No space left"):
        run(photos, out)
    assert not (out / "b.png").exists()
    assert not list(out.rglob("*.partial"))
    monkeypatch.undo()
    run(photos, out)
    for path in out.rglob("*.png"):
        opened(path).load()


def test_images_purified_otherwise_never_come_together(photos, tmp_path):
    out = tmp_path / "out"
    run(photos, out)
    with pytest.raises(InputError, match="purified otherwise"):
        folder_jobs(photos, out, "made differently")
    (out / RECEIPT).write_text("[]")
    with pytest.raises(Failure, match="is damaged; choose another folder"):
        folder_jobs(photos, out, "made so")
    (out / RECEIPT).unlink()
    with pytest.raises(InputError, match="is not empty"):
        folder_jobs(photos, out, "made so")


def test_a_folder_s_images_do_not_go_to_a_file(photos, tmp_path):
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match=r"out is a file and .* a folder"):
        folder_jobs(photos, tmp_path / "out", "made so")


@pytest.mark.parametrize("target", [".", "inner", "new"])
def test_images_are_not_written_among_those_that_are_read(photos, target):
    with pytest.raises(InputError, match="would be purified again"):
        folder_jobs(photos, photos / target, "made so")


def test_names_that_would_become_one_are_refused(photos, tmp_path):
    opened(photos / "a.png").save(photos / "a.bmp")
    opened(photos / "b.bmp").save(photos / "b.gif")
    with pytest.raises(InputError, match=r"would both become .*a\.png, .*would both become .*b\.png; rename"):
        folder_jobs(photos, tmp_path / "out", "made so")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        folder_jobs(tmp_path / "empty", tmp_path / "out", "made so")


def test_grey_stays_grey_and_colour_is_refused_where_grey_is_wanted():
    grey = torch.randint(0, 256, (1, 4, 5), dtype=torch.uint8)
    through_colours, through_grey = (deployed(channels=count).purify(grey).int() for count in (3, 1))
    assert through_colours.shape == grey.shape
    assert (through_colours - through_grey).abs().max() <= 1  # a half may round either way
    with pytest.raises(InputError, match="convert it to grey"):
        deployed(channels=1).purify(grey.expand(3, -1, -1))


def test_noise_follows_from_the_pixels_and_the_caller_s_generator_stays():
    pixels = torch.randint(0, 256, (3, 8, 9), dtype=torch.uint8)
    system = deployed(0.5)
    before = torch.get_rng_state()
    first = system.purify(pixels)
    assert torch.equal(torch.get_rng_state(), before)
    as_files_have_them = pixels.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert torch.equal(first, system.purify(as_files_have_them))
    other = pixels.clone()
    other[0, 0, 0] ^= 1
    assert (first.int() - system.purify(other).int()).abs().float().mean() > 10  # not one pixel alone


def test_images_of_one_name_in_two_folders_have_noise_of_their_own(tmp_path):
    for name, value in (("a.png", 100), ("inner/a.png", 102)):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), value, dtype=np.uint8)).save(path)
    run(tmp_path / "photos", tmp_path / "out", deployed(0.5, channels=1))
    first, second = (np.array(opened(tmp_path / "out" / name)) for name in ("a.png", "inner/a.png"))
    assert np.unique(first.astype(int) - second).size > 2


def test_the_purifier_sees_whole_planes_whatever_the_file_s_order():
    class Seeing(Purifier):
        """Remembers how what it was shown lies in memory."""

        name: ClassVar[str] = "seeing"
        stochastic, differentiable = False, True
        contiguous: ClassVar[list[bool]] = []

        def forward(self, images):
            self.contiguous.append(images.is_contiguous())
            return images

        @classmethod
        def example(cls, channels, size):
            return cls()

    system = Deployed(purifier=Seeing().eval(), channels=3, seed=0, device="cpu")
    system.purify(torch.zeros(4, 5, 3, dtype=torch.uint8).permute(2, 0, 1))
    system.purify(torch.zeros(1, 4, 5, dtype=torch.uint8))
    assert Seeing.contiguous == [True, True]


@pytest.fixture
def many_threads():
    """Threads that torch has for a test; what is left of them slows every test that follows."""
    before = torch.get_num_threads()
    torch.set_num_threads(LANES + 1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("many_threads")
def test_several_images_are_worked_on_at_a_time_as_if_alone(photos, tmp_path, monkeypatch):
    for number in range(20):
        Image.fromarray(random.randint(0, 256, (6, 6, 3)).astype(np.uint8)).save(photos / f"{number}.png")
    now, most, held, read = 0, 0, threading.Lock(), purify.read_picture
    together = threading.Barrier(LANES)

    def reads(path):
        nonlocal now, most
        with held:
            now += 1
            most = max(most, now)
        if path.name in ("0.png", "1.png", "10.png", "11.png"):
            together.wait(timeout=60)
        picture = read(path)
        with held:
            now -= 1
        return picture

    monkeypatch.setattr(purify, "read_picture", reads)
    system = deployed(0.3)
    assert set(run(photos, tmp_path / "out", system).values()) == {""}
    assert most == LANES
    for number in range(20):
        alone = system.purify(read(photos / f"{number}.png").pixels)
        assert torch.equal(read(tmp_path / "out" / f"{number}.png").pixels, alone)


@pytest.mark.usefixtures("many_threads")
def test_torch_has_the_threads_it_had_afterwards(photos, tmp_path):
    run(photos, tmp_path / "out")
    assert torch.get_num_threads() == LANES + 1
