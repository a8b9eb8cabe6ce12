"""CPU and GPU say the same of a defense, within the 95 % interval of a difference on the same images."""

import shutil

import pytest
import torch

from purifold.engine.local import run
from purifold.engine.step import Resources
from purifold.engine.steps.judge import read_outcome
from purifold.engine.store import Store
from purifold.evaluation.intervals import difference

WEAK, STRONG = 0.02, 0.3

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def experiments(composed, tiny):
    """A bare classifier and a VAE in front of it, attacked by someone who knows both."""
    scale = tiny(images=150, seen=22_000, encoded=22_000, epochs=20, audit=0)
    question = {"attacks": ("pgd:steps=5",), "epsilons": (WEAK, STRONG), "knowledge": ("adaptive",)}
    return composed(scale, defenses=("none", "vae:latent_scale=0.1,beta=0.1"), **question)


def judged(experiments, store, device):
    """Which images the systems keep, (images, systems), when clean and at both budgets."""
    steps = [step for experiment in experiments for step in experiment.judged]
    run(steps, store, Resources(device=device))
    found = [read_outcome(store.fetch(step)) for step in steps]
    masks = {"clean": [outcome.correct_clean() for outcome in found]}
    for epsilon in (WEAK, STRONG):
        masks[epsilon] = [outcome.robust() for outcome in found if outcome.threat.epsilon == epsilon]
    return {name: torch.stack(kept, dim=1) for name, kept in masks.items()}


def agree(first, second):
    found = difference(first, second)
    return found.low <= 0 <= found.high


@pytest.fixture(scope="module")
def here(experiments, tmp_path_factory):
    """What the CPU trained, in a store of its own, and what it says of it."""
    folder = tmp_path_factory.mktemp("here")
    run([step for experiment in experiments for step in experiment.trainings()], Store(folder / "trained"))
    shutil.copytree(folder / "trained", folder / "all")
    return folder / "trained", judged(experiments, Store(folder / "all"), "cpu")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=gpu)])
def test_attack_purification_and_judgement_of_the_same_weights_agree(experiments, here, tmp_path, device):
    trained, expected = here
    shutil.copytree(trained, tmp_path / "store")
    found = judged(experiments, Store(tmp_path / "store"), device)
    assert all(agree(found[name], expected[name]) for name in expected)


@gpu
def test_what_is_trained_agrees_on_clean_images(experiments, here, tmp_path):
    found = judged(experiments, Store(tmp_path), "cuda")
    assert agree(found["clean"], here[1]["clean"])


def test_another_budget_does_not_agree(here):
    masks = here[1]
    assert not agree(masks[WEAK], masks[STRONG])
    assert not agree(masks["clean"][:, :2], masks[STRONG])
