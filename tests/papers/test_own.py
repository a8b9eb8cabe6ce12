"""A study in a user's own file: the example of the docs on images of its own, and what names stand for."""

import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from purifold import cli, discovery
from purifold.engine.scale import SCALES, Scale
from purifold.errors import InputError
from purifold.evaluation.record import read
from purifold.networks.base import Classifier
from purifold.papers.own import own_paper

PAGE = Path(__file__).parents[2] / "docs" / "own-study.md"
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """What a test adopts is gone after it."""
    monkeypatch.setattr(discovery, "_own", {})


@pytest.fixture
def adopted(tmp_path):
    """The name of the network in a file of this text."""

    def name(text):
        file = tmp_path / "my_study.py"
        file.write_text(text)
        own_paper(file)
        (found,) = [name for name in discovery.classes(Classifier) if name.startswith("mine@")]
        discovery._own.clear()
        return found

    return name


@pytest.fixture
def images(tmp_path):
    """Bright squares on the left or on the right: 60 images of 16x16."""
    dice = torch.Generator().manual_seed(0)
    for place in range(60):
        kind = ("left", "right")[place % 2]
        pixels = 40 * torch.rand(16, 16, generator=dice)
        pixels[4:12, 1:7] += 150 if kind == "left" else 0
        pixels[4:12, 9:15] += 150 if kind == "right" else 0
        folder = tmp_path / "my_images" / kind
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.byte().numpy()).save(folder / f"{place}.png")


@pytest.mark.slow
@pytest.mark.usefixtures("images", "few_queries")
def test_the_example_protects_a_network_on_a_folder_of_images(tmp_path, monkeypatch, capsys):
    (tmp_path / "my_study.py").write_text(EXAMPLE)
    sizes = {"images": 12, "seen": 2_000, "encoded": 2_000, "draws": 2, "eot": 2, "audit": 2, "played": 1}
    monkeypatch.setitem(SCALES, "smoke", Scale(name="smoke", epochs=40, **sizes))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["purifold", "run", "my_study.py", "--scale", "smoke"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    assert ended.value.code == 0, printed.err
    results = tmp_path / "runs" / "my-study"
    assert (results / "report.html").exists()
    records = {record.defense["name"]: record for record in map(read, (results / "records").glob("*.json"))}
    assert records.keys() == {"none", "jpeg:quality=50", "dae"}
    for name in ("none", "jpeg:quality=50"):
        assert records[name].classifier["network"].startswith("mine@")
        assert records[name].outcomes[0].accuracy().value > 0.9  # that easy are these images


def test_a_network_goes_by_the_code_that_it_is_made_of(adopted):
    name = adopted(EXAMPLE)
    assert re.fullmatch("mine@[0-9a-f]{8}", name)
    for other in (
        EXAMPLE.replace("images, 16, 3", "images, 16, 3  # a comment"),
        EXAMPLE.replace('"pgd:steps=20"', '"pgd:steps=30"'),
        EXAMPLE.replace("pixels, classes):\n        super", "pixels, classes):  # a comment\n        super"),
        "import math\n" + EXAMPLE,
        EXAMPLE.replace(
            "    question = ", "    nn = classes = None\n    question = "
        ),  # names of another scope
    ):
        assert adopted(other) == name
    for other in (
        EXAMPLE.replace("nn.ReLU()", "nn.GELU()"),  # in the module that the network uses
        EXAMPLE.replace("height * width", "width * height"),
        EXAMPLE.replace("from torch import nn", "import torch.nn as nn"),
    ):
        assert adopted(other) != name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("study = (", "cannot be run as Python: SyntaxError"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("print", "must hold one study"),
        (EXAMPLE + "\nOTHER = Paper(name='b', title='', summary='', study=study)", "got 2"),
    ],
)
def test_a_file_that_is_no_study_is_refused_in_one_line(text, says, tmp_path):
    file = tmp_path / "my_study.py"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        own_paper(file)
    assert not discovery.own_files() or says.startswith(("must", "got"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nothing\.py"):
        own_paper(tmp_path / "nothing.py")


def test_another_process_finds_the_same_names_from_the_text(adopted):
    name = adopted(EXAMPLE)
    discovery.adopt("my_study", EXAMPLE)
    assert name in discovery.classes(Classifier)
    assert discovery.own_files() == (("my_study", EXAMPLE),)
