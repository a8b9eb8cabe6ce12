"""A trained artefact holds what it says: weights that load, their accuracy, their curves."""

import pytest
import torch

from purifold.attacks.fgsm import FGSM
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.generative import GeneratorSpec
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.train_adversarial import TrainAdversarial
from purifold.engine.steps.train_autoencoder import TrainAutoencoder
from purifold.engine.steps.train_classifier import TrainClassifier, read_accuracy
from purifold.engine.steps.train_conditional import TrainConditional
from purifold.engine.steps.train_generator import TrainGenerator
from purifold.engine.steps.training import read_history
from purifold.errors import InputError
from purifold.threat import ThreatModel
from purifold.training.adversarial import AdversarialSpec
from purifold.training.config import TrainingConfig

HERE = Resources()
CONFIG = TrainingConfig(epochs=3, optimizer="adam", learning_rate=3e-3)


def made(step, folder, fetched=None):
    """The step, run; and a bench on which its artefact can be loaded."""
    fetched = dict(fetched or {})
    told = []
    (folder / "files").mkdir()
    bench = Workbench(
        folder=folder / "files",
        scratch_at=folder / "scratch",
        resources=HERE,
        fetched=fetched,
        report=lambda fraction, note: told.append(fraction),
    )
    step.run(bench)
    assert told == sorted(told)
    assert told[-1] == 1
    return Workbench(
        folder=folder / "other",
        scratch_at=folder / "other",
        resources=HERE,
        fetched=fetched | {step.key: folder / "files"},
        report=lambda fraction, note: None,
    )


@pytest.fixture(scope="module")
def data():
    return Data.named("digits", HERE)


def test_the_accuracy_beside_a_classifier_is_that_of_its_weights_on_all_test_images(data, tmp_path):
    step = TrainClassifier(data=data, images=1_100, network="small-cnn", config=CONFIG, seed=0)
    classifier = step.load(made(step, tmp_path))
    test = data.part("test", HERE)
    with torch.no_grad():
        right = (classifier(test.images()).argmax(dim=1) == test.labels).sum().item()
    found = read_accuracy(tmp_path / "files")
    assert (found.successes, found.trials) == (right, 497)
    assert found.value > 0.7  # far above the 0.1 of chance: these are trained weights
    assert not classifier.training


def test_an_autoencoder_learns_and_its_curves_have_an_entry_an_epoch(data, tmp_path):
    spec = AutoencoderSpec(kind="plain", network="ae-robustness", latent=8)
    step = TrainAutoencoder(data=data, images=1_100, spec=spec, config=CONFIG, seed=0)
    made(step, tmp_path)
    history = read_history(tmp_path / "files")
    assert len(history["train_loss"]) == len(history["validation_loss"]) == 3
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_a_conditional_autoencoder_learns_through_its_source_and_leaves_it_alone(data, tmp_path):
    for name in ("source", "own"):
        (tmp_path / name).mkdir()
    source = TrainClassifier(data=data, images=1_100, network="small-cnn", config=CONFIG, seed=2)
    with_source = made(source, tmp_path / "source")
    step = TrainConditional(
        data=data, images=1_100, spec=ConditionalSpec(latent=4), source=source, config=CONFIG, seed=0
    )
    before = source.load(with_source).state_dict()
    bench = made(step, tmp_path / "own", fetched=with_source.fetched)
    history = read_history(tmp_path / "own" / "files")
    assert history["train_loss"][-1] < history["train_loss"][0]
    images, labels = (
        part[:100] for part in (data.part("test", HERE).images(), data.part("test", HERE).labels)
    )
    purified = step.load(bench).reconstruct(images, labels)
    after = source.load(with_source)
    with torch.no_grad():
        assert (after(purified).argmax(dim=1) == labels).float().mean() > 0.5  # chance is 0.1
    assert all(torch.equal(before[name], value) for name, value in after.state_dict().items())


def test_the_seed_and_the_images_are_part_of_the_name(data):
    first = TrainClassifier(data=data, images=1_100, network="small-cnn", config=CONFIG, seed=0)
    assert first.key != TrainClassifier(**vars_of(first) | {"seed": 1}).key
    assert first.key != TrainClassifier(**vars_of(first) | {"images": 500}).key
    assert first.key == TrainClassifier(**vars_of(first)).key


def test_other_images_under_the_same_name_are_refused():
    with pytest.raises(InputError, match="not those this study was planned with"):
        Data(name="digits", hashes=("0", "0", "0")).load(HERE)


def vars_of(step):
    return {name: getattr(step, name) for name in ("data", "images", "network", "config", "seed")}


def test_a_classifier_trained_on_attacked_images_keeps_more_of_them(data, tmp_path):
    """Against FGSM at the budget that it was trained for, the attacker knowing each."""
    config = TrainingConfig(epochs=8, optimizer="adam", learning_rate=3e-3)
    spec = AdversarialSpec(classifier="mlp", epsilon=0.15)
    plain = TrainClassifier(data=data, images=1_100, network="mlp", config=config, seed=0)
    hardened = TrainAdversarial(data=data, images=1_100, spec=spec, config=config, seed=0)
    test, threat = data.part("test", HERE, 200), ThreatModel("linf", 0.15)
    kept = {}
    for step in (plain, hardened):
        folder = tmp_path / step.kind
        folder.mkdir()
        model = step.load(made(step, folder))
        attacked = FGSM()(model, test.images(), test.labels, threat)
        kept[step.kind] = (model(attacked).argmax(dim=1) == test.labels).float().mean().item()
    assert kept["train-adversarial"] > kept["train-classifier"] + 0.1


def test_a_generator_takes_a_turn_at_every_fifth_batch(data, tmp_path):
    config = TrainingConfig(epochs=2, batch_size=64, learning_rate=3e-4, momentum=0.5)
    spec = GeneratorSpec(latent_size=4, width=2)
    step = TrainGenerator(data=data, images=640, spec=spec, config=config, seed=0)
    model = step.load(made(step, tmp_path))
    assert int(model.updates) == 2 * 10
    first = step.build(HERE)
    assert len(read_history(tmp_path / "files")["train_loss"]) == 2
    assert not torch.equal(model.generator.layers[0].weight, first.generator.layers[0].weight)
