"""The command line as a user meets it: help that is quick and true, one line for a mistake."""

import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import typer

from purifold import cli
from purifold.engine.scale import SCALES, Scale
from purifold.engine.store import Store
from purifold.errors import InputError

ROOT = Path(__file__).parents[2]
STUDIES = ("demo", "evaluate", "reproduce", "run")


@pytest.fixture
def purifold(monkeypatch, capsys, tmp_path):
    """Runs a command line in an empty folder; gives exit status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(line):
        monkeypatch.setattr(sys, "argv", ["purifold", *shlex.split(line)])
        try:
            cli.main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        out = capsys.readouterr()
        return status, out.out, out.err

    return run


def _commands():
    group = typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
        else:
            yield name, command


COMMANDS = list(_commands())
PAGES = [path for folder in (".", "docs", "docs/papers") for path in (ROOT / folder).glob("*.md")]


def examples(text):
    return [" ".join(found.split()) for found in re.findall(r"`(purifold [^`]+)`", text)]


def lines(page):
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text(), flags=re.S | re.M)
    return [line for block in blocks for line in re.findall(r"^purifold .*", block, flags=re.M)]


def parse(line):
    """Which command is called, and with what: as the command line does it, up to the call."""
    command, words = typer.main.get_command(cli.app), shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    return command, command.make_context(line, words).params


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['purifold', '--help']\n"
        "from purifold.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'datasets', 'matplotlib', 'lightning_fabric', 'scipy', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_command_has_an_example_of_itself(name, command):
    found = [line for line in examples(command.help or "") if line.startswith(f"purifold {name}")]
    assert found, f"{name} has no example"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_option_is_explained(name, command):
    assert [option.name for option in command.params if not option.help] == []


@pytest.mark.parametrize("name", STUDIES)
def test_studies_share_their_options(name):
    command = dict(COMMANDS)[name]
    shared = {"store", "out", "scale", "seed", "debug", "dry_run", "redraw", "ray"}
    assert shared <= {option.name for option in command.params}


@pytest.mark.parametrize(
    ("line", "called"), [(line, found) for _, found in COMMANDS for line in examples(found.help)]
)
def test_every_example_of_a_command_is_one_that_it_takes(line, called):
    command, given = parse(line)
    assert command.name == called.name
    assert set(given) == {option.name for option in command.params}


@pytest.mark.parametrize("line", sorted({line for page in PAGES for line in lines(page)}))
def test_every_command_line_on_a_page_is_one_that_is_taken(line):
    command, given = parse(line)
    assert line.split()[1:][:2].count(command.name) == 1
    assert set(given) == {option.name for option in command.params}


@pytest.mark.parametrize("option", ["ray", "scale", "only", "dry_run"])
def test_an_option_of_studies_is_shown_in_an_example(option):
    flag = f"--{option.replace('_', '-')} "
    assert any(flag in f"{line} " for name in STUDIES for line in examples(dict(COMMANDS)[name].help))


@pytest.mark.parametrize("name", STUDIES)
def test_an_example_plans_as_written(purifold, tmp_path, name):
    (tmp_path / "my_study.py").write_text(STUDY)
    (line, *_) = examples(dict(COMMANDS)[name].help)
    status, out, err = purifold(f"{line.removeprefix('purifold ')} --dry-run")
    assert (status, err) == (0, "")
    assert "     1 train-classifier\n" in out
    assert "steps to make" in out


@pytest.mark.parametrize(
    ("what", "known"),
    [
        ("defenses", "vae:"),
        ("attacks", "cw-l2:"),
        ("classifiers", "small-cnn:"),
        ("autoencoders", "ae-robustness:"),
        ("data", "mnist:"),
        ("papers", "foundation:"),
    ],
)
def test_lists_say_what_there_is(purifold, what, known):
    status, out, _ = purifold(f"list {what}")
    assert status == 0
    assert known in out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("evaluate --data digits --defense vea --dry-run", "did you mean 'vae'"),
        ("evaluate --data digits --defense vae:latnt=3 --dry-run", "did you mean 'latent'"),
        ("evaluate --data digits --defense vae:latent_scale=99 --dry-run", "latent_scale"),
        ("evaluate --data digits --attack pdg --dry-run", "did you mean 'pgd'"),
        ("evaluate --data mnst --dry-run", "did you mean 'mnist'"),
        ("evaluate --data digits --epsilon -0.1 --dry-run", "epsilon must be above 0 and finite"),
        ("evaluate --data digits --epsilon 8 --dry-run", "at most 1"),
        ("evaluate --data digits --norm l2 --dry-run", "--epsilon"),
        ("evaluate --data digits --knowledge scores --dry-run", "--attack square"),
        ("evaluate --data digits --classifier resnt --dry-run", "did you mean 'resnet'"),
        ("evaluate --data digits --autoencoder patch-vae-64 --dry-run", "patch-vae-64"),
        ("evaluate --data mnist --data-root . --dry-run", "mnist"),
        ("reproduce fondation --dry-run", "did you mean 'foundation'"),
        ("data show mnst", "did you mean 'mnist'"),
        ("status runs/strore", "there is no store at runs/strore"),
        ("clean . --yes", "there is no store at ."),
        ("data import btcs .", "did you mean 'btsc'"),
        ("data import btsc nowhere", "nowhere"),
        ("evaluate --data digits --store setup.cfg --dry-run", "store"),
        ("purify nothing.png out.png --weights weights", "no image or folder nothing.png"),
        ("purify setup.cfg out.png --weights nowhere", "purifold train --data DATA --out nowhere"),
        ("train --data digits --defense puvae --out weights", "choose one of autoencoders"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(purifold, tmp_path, line, says):
    (tmp_path / "setup.cfg").write_text("a file, no folder")
    status, out, err = purifold(line)
    assert status == 2
    assert says in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in out + err


def test_more_images_than_there_are_is_said(purifold):
    line = "evaluate --data digits --defense jpeg --scale smoke --dry-run --images"
    out = purifold(f"{line} 9999")[1]
    count = int(re.search(r"digits has (\d+) test images, not 9999: all are attacked", out)[1])
    assert "test images" not in purifold(f"{line} {count}")[1]
    assert f"has {count} test images, not {count + 1}" in purifold(f"{line} {count + 1}")[1]


def test_what_evaluate_is_given_is_asked(purifold, monkeypatch):
    asked = []

    def compose(question, scale, resources):
        asked.append(question)
        raise InputError("that is all")

    monkeypatch.setattr("purifold.engine.compose.compose", compose)
    assert "that is all" in purifold("evaluate --data digits --images 7 --check-images 0 --seed 3")[2]
    (question,) = asked
    assert (question.images, question.checked, question.seed) == (7, 0, 3)


def test_a_defense_that_learns_nothing_says_so(purifold):
    status, out, _ = purifold("train --data digits --defense jpeg --out weights --store store")
    assert status == 0
    assert "wrote weights (jpeg has nothing to train)" in out


@pytest.mark.parametrize("name", [*STUDIES, "train"])
def test_training_can_be_logged_wherever_something_is_trained(name):
    assert "tensorboard" in {option.name for option in dict(COMMANDS)[name].params}


def test_a_missing_tensorboard_is_one_line_that_says_what_to_install(purifold, monkeypatch):
    for flag in ("_TENSORBOARD_AVAILABLE", "_TENSORBOARDX_AVAILABLE"):
        monkeypatch.setattr(f"lightning_fabric.loggers.tensorboard.{flag}", False)
    status, out, err = purifold("evaluate --data digits --tensorboard logs --dry-run")
    assert (status, out) == (2, "")
    assert err == ("purifold: logs for TensorBoard need the package tensorboard: pip install tensorboard\n")


def test_the_version_is_that_of_the_package(purifold):
    assert purifold("--version") == (0, f"purifold {metadata.version('purifold')}\n", "")


def test_an_unknown_option_is_status_2(purifold):
    status, _, err = purifold("evaluate --data digits --attak pgd")
    assert status == 2
    assert "--attack" in err


def test_debug_shows_the_traceback(purifold):
    from purifold.errors import InputError

    with pytest.raises(InputError):
        purifold("evaluate --data mnst --dry-run --debug")


def test_a_failure_is_status_1(purifold, monkeypatch):
    def broken(*_, **__):
        raise OSError("no such luck")

    monkeypatch.setattr("purifold.engine.compose.compose", broken)
    status, _, err = purifold("evaluate --data digits --dry-run")
    assert status == 1
    assert "unexpected OSError: no such luck" in err
    assert "--debug" in err


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_made(purifold, tmp_path):
    (tmp_path / "file").write_text("")
    command = f"evaluate --data digits --defense jpeg --scale smoke --store {tmp_path}/store"
    status, out, err = purifold(f"{command} --out {tmp_path}/file")
    assert status == 2
    assert "cannot write to" in err
    assert "made" not in out


@pytest.mark.parametrize("epsilon", ["0", "inf", "-1", "8"])
def test_a_budget_that_is_none_is_refused_and_what_to_write_is_said(purifold, epsilon):
    status, _, err = purifold(f"evaluate --data digits --epsilon {epsilon} --dry-run")
    assert status == 2
    assert "above 0 and finite" in err or "write 0.03137" in err


def test_a_missing_folder_is_called_one(purifold):
    status, _, err = purifold("evaluate --data no/such/folder --dry-run")
    assert status == 2
    assert "there is no folder no/such/folder" in err


STUDY = """
from purifold.engine.compose import Question, compose
from purifold.papers.base import Paper, Study

def study(scale, resources, seed):
    question = Question(data="digits", defenses=("none",), attacks=("fgsm",), epsilons=(0.3,), seed=seed)
    return Study(experiments=tuple(compose(question, scale, resources)))

STUDY = Paper(name="mine", title="Mine", summary="", study=study)
"""


@pytest.fixture
def filled(purifold, tmp_path, monkeypatch):
    """A store in the working folder with a study, and with one artefact of seed 1."""
    tiny = Scale(name="smoke", images=4, seen=50, encoded=50, epochs=1, draws=1, eot=1, audit=1, played=1)
    monkeypatch.setitem(SCALES, "smoke", tiny)
    (tmp_path / "mine.py").write_text(STUDY)
    assert purifold("run mine.py --scale smoke --store store")[0] == 0
    assert purifold("run mine.py --scale smoke --store store --seed 1")[0] == 0
    return Store(tmp_path / "store")


@pytest.mark.slow
def test_a_store_is_told_and_cleaned_of_what_a_study_does_not_need(purifold, filled):
    before = filled.places()
    status, out, err = purifold("status store")
    assert (status, err) == (0, "")
    assert re.search(rf"^total +{len(before)} ", out, flags=re.M)
    line = "clean store --study mine.py --scale smoke"
    status, out, err = purifold(line)
    assert (status, err) == (0, "")
    assert f"needed by none of the studies: {len(before) // 2}, " in out
    assert "Nothing was deleted" in out
    assert filled.places() == before
    assert "deleted" in purifold(f"{line} --yes")[1]
    assert len(filled.places()) == len(before) - len(before) // 2
    assert "Nothing to make" in purifold("run mine.py --scale smoke --store store --dry-run")[1]
    assert "Nothing to make" not in purifold("run mine.py --scale smoke --store store --seed 1 --dry-run")[1]


def test_a_cluster_that_does_not_answer_is_one_line_and_status_2(purifold):
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    status, _, err = purifold("evaluate --data digits --defense jpeg --scale smoke --ray 127.0.0.1:1")
    assert status == 2
    assert err.startswith("purifold: no Ray cluster answers at 127.0.0.1:1")
    assert len(err.strip().splitlines()) == 1
