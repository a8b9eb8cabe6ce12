"""The penalty of equations 10 and 11 against the formula."""

import pytest
import torch
from torch import nn

from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.split import Split
from purifold.defenses.base import REJECTED, Defended
from purifold.defenses.recipe import parse
from purifold.errors import InputError
from purifold.evaluation.conflict import Conflict
from purifold.randomness import seeded


@pytest.fixture
def clean():
    pixels = torch.randint(256, (200, 1, 8, 8), generator=torch.Generator().manual_seed(1)).byte()
    return Split("random/validation", pixels, torch.zeros(200, dtype=torch.int64), ("a", "b", "c", "d"))


@pytest.fixture
def system(clean):
    with seeded(0):
        autoencoder = MixtureSpec().build((1, 8, 8), 4).eval().requires_grad_(False)
    return parse("gm-vae").build(autoencoder, (), clean)


@torch.no_grad()
def test_the_penalty_is_equation_10(system, clean):
    images = clean.images()[:5]
    conflict = Conflict(system)
    latent, output = system.detectors
    off = system.classifier.encode(images) - system.classifier.means[3]
    distance = (off @ latent.precision * off).sum(dim=1) / latent.threshold
    error = output(images) / output.threshold
    torch.testing.assert_close(conflict.penalty(3)(images), error**2 + distance**2, rtol=1e-4, atol=1e-4)


def test_what_is_accepted_as_another_class_is_fooled(system, clean):
    images = clean.images()[:60]
    answers = system.predict(images)
    of_none = Conflict(system).fooled(torch.full((60,), REJECTED))(images)
    assert torch.equal(of_none, answers != REJECTED)
    assert not Conflict(system).fooled(answers)(images).any()
    assert of_none.any()


def test_a_system_without_both_detectors_is_refused():
    with pytest.raises(InputError, match="use defense gm-vae or mixture-detector"):
        Conflict(Defended(nn.Flatten()).eval())
