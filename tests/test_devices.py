"""What runs on a GPU keeps to its tensors: shown without one, on a device that `elsewhere` makes up.

All that is discovered does there, number for number, what it does on the CPU.
"""

import importlib.util
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.attacks.pgd import PGD
from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.generative import GeneratorSpec
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.split import Split
from purifold.defenses.base import Defended, Detector, Purifier
from purifold.discovery import classes
from purifold.evaluation.evaluate import evaluate
from purifold.evaluation.sanity import sanity
from purifold.randomness import seeded
from purifold.threat import ThreatModel

SHAPE, CLASSES = (1, 12, 12), 3
THREAT = ThreatModel("linf", 0.2)
ATTACKS, PURIFIERS, DETECTORS = classes(Attack), classes(Purifier), classes(Detector)
QUICK = {"cw-l2": {"steps": 5, "search_steps": 2}, "pgd": {"steps": 3}, "square": {"queries": 20}}
PLAIN = {"network": "ae-robustness", "latent": 5, "noise_std": 0.1}
LOSSES = {
    "dae": lambda: AutoencoderSpec(kind="plain", denoising=True, **PLAIN).build(SHAPE),
    "cvae": lambda: AutoencoderSpec(kind="variational", contractive_weight=0.1, **PLAIN).build(SHAPE),
    "conditional": lambda: ConditionalSpec().build(SHAPE, CLASSES),
    "mixture": lambda: MixtureSpec().build(SHAPE, CLASSES),
    "generator": lambda: GeneratorSpec(latent_size=4, width=4).build(SHAPE),
}
BESIDE = {"conditional": ("labels", "classifier"), "mixture": ("labels",)}
"""What a loss takes beside the images."""


def _loaded():
    spec = importlib.util.spec_from_file_location("elsewhere", Path(__file__).with_name("elsewhere.py"))
    sys.modules["elsewhere"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


elsewhere = _loaded()


class Given:
    """Images, labels and a classifier."""

    def __init__(self):
        with seeded(0):
            self.images = torch.rand(4, *SHAPE)
            self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(144, CLASSES)).eval()
        self.labels = torch.arange(4) % CLASSES


def moved(value):
    return value.to(elsewhere.DEVICE) if isinstance(value, torch.Tensor | nn.Module | Split) else value


def check_same(work, *given):
    """`work` gives the same here and elsewhere, as a list of tensors that stay where they are made."""
    with seeded(1):
        here = work(*deepcopy(given))
    with elsewhere.Present(), seeded(1):
        there = work(*(moved(deepcopy(value)) for value in given))
    assert here
    assert all(isinstance(tensor, elsewhere.There) for tensor in there)
    assert all(torch.equal(one, other.numbers) for one, other in zip(here, there, strict=True))


@pytest.mark.parametrize(
    ("name", "norm", "targeted"),
    [
        (name, norm, targeted)
        for name, attack in ATTACKS.items()
        for norm in attack.norms
        for targeted in {False, attack.targetable}
    ],
)
def test_an_attack(name, norm, targeted):
    given = Given()
    attack = ATTACKS[name](targeted=targeted, **QUICK.get(name, {}))

    def work(classifier, images, labels):
        return [attack(classifier, images, labels, ThreatModel(norm, 0.3))]

    check_same(work, given.classifier, given.images, given.labels)


@pytest.mark.parametrize("kind", [*PURIFIERS.values(), *DETECTORS.values()], ids=[*PURIFIERS, *DETECTORS])
def test_a_purifier_or_detector_with_its_gradient(kind):
    def work(module, images):
        images.requires_grad_()
        found = (module.surrogate if isinstance(module, Purifier) else module)(images)
        gradient = torch.autograd.grad(found.sum(), images) if found.requires_grad else ()
        return [module(images).detach(), found.detach(), *gradient]

    with seeded(0):
        module = kind.example(*SHAPE[:2]).eval()
    check_same(work, module, Given().images)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_with_the_gradient_of_the_weights(name):
    def work(model, images, *beside):
        loss = model.loss(images, *beside)
        gradients = torch.autograd.grad(loss.sum(), list(model.parameters()), allow_unused=True)
        return [loss.detach(), *(gradient for gradient in gradients if gradient is not None)]

    given = Given()
    with seeded(0):
        model = LOSSES[name]().train()
    check_same(work, model, given.images, *(getattr(given, entry) for entry in BESIDE.get(name, ())))


@pytest.mark.slow
@pytest.mark.usefixtures("few_queries")
def test_an_evaluation_with_its_sanity_checks():
    given = Given()
    with seeded(0):
        purifier, detector = (
            kinds.example(*SHAPE[:2]) for kinds in (PURIFIERS["jpeg"], DETECTORS["divergence"])
        )
    defended = Defended(given.classifier, purifier, [detector]).eval()
    pixels = (given.images * 255).byte()
    split = Split("some/test", pixels, given.labels, ("a", "b", "c"))

    def work(defended, split):
        attacks, seen = [PGD(steps=2, random_start=False)], "adaptive"
        defended.detectors[0].calibrate(split.images(), 0.5)
        outcome = evaluate(defended, split, attacks, THREAT, seen, seed=0)
        checks = sanity(defended, split, attacks, THREAT, [outcome], seed=0, images=3)
        return outcome.clean, [vars(attacked) for attacked in outcome.attacked.values()], checks

    here = work(deepcopy(defended), split)
    with elsewhere.Present():
        there = work(moved(defended), moved(split))
    assert torch.equal(here[0], there[0])
    assert str(there[1:]) == str(here[1:])


@pytest.mark.parametrize(
    "mixed",
    [
        lambda there, here: there + here,
        lambda there, here: here[there.long()],
        lambda there, here: torch.rand(2, device=there.device, generator=torch.Generator()),
        lambda there, here: there.index_put_((here.long(),), here),
        lambda there, here: there.numpy(),
    ],
)
def test_the_device_refuses_what_a_gpu_refuses(mixed):
    here = torch.zeros(3)
    with elsewhere.Present(), pytest.raises(RuntimeError):
        mixed(here.to(elsewhere.DEVICE), here)
