"""A classifier with published weights: those of the file, their measured accuracy, and no others."""

import pytest
import torch

from purifold import storage
from purifold.engine.local import run
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.steps import pretrained
from purifold.engine.steps.classifier_training import read_accuracy
from purifold.engine.steps.data import Data
from purifold.engine.steps.pretrained import PretrainedClassifier
from purifold.engine.store import Store
from purifold.engine.study import StudyFailure
from purifold.engine.trainings import Workshop
from purifold.networks.base import build_classifier
from purifold.networks.published import Published
from purifold.training.checkpoint import load_weights


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder with the weights of a small network, which are published under its name."""
    source = Published(
        name="small-cnn",
        build=lambda shape, classes: build_classifier("small-cnn", shape, classes),
        read=lambda network, path: storage.read(path)[0],
        file="small.safetensors",
    )
    monkeypatch.setattr(pretrained, "published", lambda name: source)
    (tmp_path / "weights").mkdir()
    torch.manual_seed(3)
    state = build_classifier("small-cnn", (1, 8, 8), 10).state_dict()
    storage.write(tmp_path / "weights/small.safetensors", state, {})
    return tmp_path


def test_its_artefact_holds_the_weights_of_the_file_and_their_accuracy(root, tmp_path):
    resources, store = Resources(data_root=str(root)), Store(tmp_path / "store")
    data = Data.named("digits", Resources())
    step = PretrainedClassifier.named("small-cnn", data, resources)
    run((step,), store, resources)
    state, _ = load_weights(store.fetch(step))
    classifier = build_classifier("small-cnn", (1, 8, 8), 10).eval()
    classifier.load_state_dict(state)
    torch.manual_seed(3)
    expected = build_classifier("small-cnn", (1, 8, 8), 10).state_dict()
    assert all(torch.equal(state[name], value) for name, value in expected.items())
    test = data.part("test", Resources())
    with torch.no_grad():
        right = int((classifier(test.images()).argmax(dim=1) == test.labels).sum())
    found = read_accuracy(store.fetch(step))
    assert (found.successes, found.trials) == (right, len(test))


def test_other_weights_are_another_step_and_are_not_taken_for_it(root, tmp_path):
    resources = Resources(data_root=str(root))
    data = Data.named("digits", Resources())
    step = PretrainedClassifier.named("small-cnn", data, resources)
    storage.write(root / "weights/small.safetensors", {"other": torch.zeros(1)}, {})
    assert PretrainedClassifier.named("small-cnn", data, resources).key != step.key
    with pytest.raises(StudyFailure, match="plan it again"):
        run((step,), Store(tmp_path / "store"), resources)


def test_a_data_set_without_training_images_takes_published_weights(root):
    resources = Resources(data_root=str(root))
    whole = Data.named("digits", Resources())
    bare = Data(name="digits", hashes=("", "", whole.hashes[2]))
    shops = [
        Workshop(data=data, scale=SCALES["smoke"], resources=resources, seed=0) for data in (whole, bare)
    ]
    kinds = [shop.classifier("small-cnn").kind for shop in shops]
    assert kinds == ["train-classifier", "pretrained-classifier"]
