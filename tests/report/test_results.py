"""Results are written once and read back as they were."""

import json
import os
import shutil

import pytest

from purifold.engine.local import run
from purifold.engine.store import Store
from purifold.errors import Failure, InputError
from purifold.evaluation.record import read
from purifold.papers.base import Study
from purifold.report.results import INDEX, publish, read_results
from purifold.report.study import redraw


@pytest.fixture(scope="module")
def published(composed, tmp_path_factory):
    experiments = composed(defenses=("none", "vae:beta=0.1"), attacks=("fgsm",), epsilons=(0.3,))
    study = Study(experiments=tuple(experiments))
    store, folder = Store(tmp_path_factory.mktemp("store")), tmp_path_factory.mktemp("out")
    run(study.steps(), store)
    return publish(study, store, folder, title="A study", command="purifold evaluate"), folder


def test_a_record_of_each_defense_can_be_read_by_itself(published):
    results, folder = published
    names = [record.defense["name"] for record in results.records.values()]
    assert names == ["none", "vae:beta=0.1"]
    alone = read(folder / "records" / "digits-small-cnn-vae_beta_0.1.json")
    assert alone.title == "A study"
    assert alone.classifier["test_images"] == 497


def test_a_report_is_drawn_anew_from_what_its_folder_holds_alone(published, composed):
    _, folder = published
    experiments = composed(defenses=("none", "vae:beta=0.1"), attacks=("fgsm",), epsilons=(0.3,))
    redraw(Study(experiments=tuple(experiments)), folder, "A study")
    page = (folder / "report.html").read_text()
    for name in ("report.html", "table.md"):
        (folder / name).unlink()
    redraw(Study(experiments=tuple(experiments)), folder, "A study")
    assert (folder / "report.html").read_text() == page
    assert "vae:beta=0.1" in (folder / "table.md").read_text()
    other = composed(defenses=("ae",), attacks=("fgsm",), epsilons=(0.3,))
    with pytest.raises(InputError, match="lacks results of digits-small-cnn-ae; give the --only"):
        redraw(Study(experiments=tuple(other)), folder, "A study")


def test_results_of_a_version_that_wrote_less_are_refused_in_one_line(published, composed, tmp_path):
    _, folder = published
    experiments = composed(defenses=("none", "vae:beta=0.1"), attacks=("fgsm",), epsilons=(0.3,))
    older = shutil.copytree(folder, tmp_path / "older")
    index = json.loads((older / INDEX).read_text())
    for history in index["trainings"].values():
        del history["train_loss"]
    (older / INDEX).write_text(json.dumps(index))
    with pytest.raises(InputError, match=r"older lacks 'train_loss'.*leave --redraw out"):
        redraw(Study(experiments=tuple(experiments)), older, "A study")


def test_the_pictures_are_the_first_test_images(published):
    from purifold.data.load import load

    results, _ = published
    shown = results.galleries["digits-small-cnn-vae_beta_0.1"].shown["clean"]
    expected = load("digits").test.pixels[: len(shown.images), 0].numpy()
    assert (shown.images[..., 0] == expected).all()
    assert (shown.purified != shown.images).any()
    assert (results.galleries["digits-small-cnn-none"].shown["clean"].purified[..., 0] == expected).all()


def test_the_trainings_of_all_experiments_are_listed_once(published):
    results, _ = published
    assert list(results.trainings) == [
        "train small-cnn on digits",
        "train variational autoencoder ae-robustness 16, beta 0.1 on digits",
    ]


def test_the_command_and_the_machine_are_known_without_a_record(published):
    results, _ = published
    assert (results.made["title"], results.made["command"]) == ("A study", "purifold evaluate")
    assert results.made["cores"] == os.cpu_count()


def test_a_folder_without_results_is_refused_and_a_damaged_one_said_so(published, tmp_path):
    with pytest.raises(InputError, match="holds no results"):
        read_results(tmp_path)
    (tmp_path / INDEX).write_text('{"experiments": [')
    with pytest.raises(Failure, match="is damaged"):
        read_results(tmp_path)
