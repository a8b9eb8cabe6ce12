"""Training of a Gaussian-mixture VAE: what labels it sees, and that it classifies and reconstructs."""

import pytest
import torch

from purifold.autoencoders.mixture import UNLABELLED
from purifold.data.split import Split
from purifold.engine.step import Resources
from purifold.engine.steps.classifier_training import read_accuracy
from purifold.engine.steps.train_mixture import SHARE, with_few_labels
from purifold.errors import InputError


@pytest.fixture
def split():
    labels = torch.arange(600) % 3
    pixels = torch.arange(600)[:, None, None, None].expand(-1, 1, 4, 4).remainder(256).byte()
    return Split("s/train", pixels, labels, ("a", "b", "c"))


def test_few_labels_are_of_the_right_images_and_as_many_of_each_class(split):
    found = with_few_labels(split, 10, seed=0)
    labelled = found.labels != UNLABELLED
    rows = labelled[:600].nonzero().squeeze(1)
    assert torch.equal(found.labels[rows], split.labels[rows])
    assert found.labels[rows].bincount().tolist() == [10, 10, 10]
    assert torch.equal(found.pixels[:600], split.pixels)
    assert float(labelled.double().mean()) == pytest.approx(1 / SHARE, abs=0.02)
    copies = found.labels[600:]
    assert (copies != UNLABELLED).all()
    assert copies.bincount().unique().numel() == 1


def test_which_images_have_labels_depends_on_the_seed_alone(split):
    first, again, other = (with_few_labels(split, 10, seed=seed).labels for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    with pytest.raises(InputError, match="at most the images of a class, 200 of class a, got 201"):
        with_few_labels(split, 201, seed=0)


@pytest.mark.parametrize("labelled", [0, 10, 90])
def test_the_pull_grows_during_three_quarters_of_the_updates(labelled, tiny, composed):
    scale = tiny(encoded=5_500, epochs=10)
    (experiment,) = composed(
        scale,
        classifier=f"gm-vae:labelled={labelled}",
        defenses=("none",),
        attacks=("fgsm",),
        epsilons=(0.3,),
    )
    (step,) = experiment.trainings()
    resources = Resources()
    shown = len(step.examples(step.data.load(resources)))
    updates = step.config.epochs * -(-shown // step.config.batch_size)
    assert step.build(resources).warm_up == round(0.75 * updates)


@pytest.mark.parametrize("network", ["gm-vae", "gm-vae:labelled=10,units=12"])
def test_it_learns_to_classify_and_to_reconstruct(network, tiny, composed, finished):
    scale = tiny(encoded=22_000, seen=11_000, epochs=20)
    (experiment,) = composed(
        scale, classifier=network, defenses=("none",), attacks=("fgsm",), epsilons=(0.3,)
    )
    (step,) = experiment.trainings()
    store, bench = finished(step)
    assert read_accuracy(store.fetch(step)).value > 0.8
    assert str(step.spec) == step.network
    assert "gm-vae" in experiment.name
    trained, images = step.load(bench), step.data.load(bench.resources).test.images()
    errors = (trained.reconstruct(images) - images).square().mean()
    assert float(errors) < 0.8 * float((images.mean(dim=0) - images).square().mean())
