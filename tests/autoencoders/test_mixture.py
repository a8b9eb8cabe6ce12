"""The Gaussian-mixture VAE: its losses against closed forms, with a linear encoder and decoder."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from purifold.autoencoders.mixture import UNLABELLED, MixtureAutoencoder, on_axis, one_hot
from purifold.errors import InputError
from purifold.networks.base import Decoder, Encoder, Shape
from purifold.randomness import seeded

SHAPE, CLASSES, LATENT = (1, 2, 2), 3, 4
LABELS = torch.tensor([0, 2, 1, 1, 0])


class Linear(Encoder):
    @staticmethod
    def design(shape: Shape, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs))


class LinearBack(Decoder):
    @staticmethod
    def design(shape: Shape, latent: int) -> nn.Module:
        return nn.Sequential(nn.Linear(latent, math.prod(shape)), nn.Unflatten(1, shape))


@pytest.fixture
def make():
    def made(means=None, **settings):
        outputs = LATENT * (2 if settings.get("entropy") == "variable" else 1)
        with seeded(1):
            parts = Linear(SHAPE, outputs), LinearBack(SHAPE, LATENT)
        means = one_hot(CLASSES, LATENT) if means is None else means
        return MixtureAutoencoder(*parts, means, **settings).eval()

    return made


@pytest.fixture
def images():
    return torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_the_labelled_loss_is_equation_7(make, images):
    autoencoder = make(variance=0.25, prior_weight=3.0)
    with seeded(7):
        noise = 0.5 * torch.randn(5, LATENT)
    with seeded(7):
        found = autoencoder.loss(images, LABELS)
    for row, (image, label) in enumerate(zip(images, LABELS, strict=True)):
        weight, bias = autoencoder.encoder.layers[1].weight, autoencoder.encoder.layers[1].bias
        code = weight @ image.flatten() + bias
        decoded = torch.sigmoid(autoencoder.decoder.layers[0](code + noise[row]))
        mean = torch.eye(CLASSES, LATENT)[label]
        expected = (image.flatten() - decoded).square().sum() + 3 * (code - mean).square().sum()
        torch.testing.assert_close(found[row], expected)


@torch.no_grad()
@pytest.mark.parametrize("variance", [0.25, 1 / 3000])
def test_an_unlabelled_image_is_drawn_to_the_mixture(make, images, variance):
    autoencoder = make(variance=variance, prior_weight=3.0)
    unknown = torch.full_like(LABELS, UNLABELLED)
    found = autoencoder.terms(images, unknown)["prior"].double()
    spread = torch.full((CLASSES, LATENT), variance, dtype=torch.double).sqrt()
    prior = MixtureSameFamily(
        Categorical(torch.ones(CLASSES, dtype=torch.double)),
        Independent(Normal(torch.eye(CLASSES, LATENT, dtype=torch.double), spread), 1),
    )
    density = prior.log_prob(autoencoder.encode(images).double())
    constant = math.log(CLASSES) + LATENT / 2 * math.log(2 * math.pi * variance)
    torch.testing.assert_close(found, 3 * -2 * variance * (density + constant), rtol=1e-5, atol=1e-6)
    assert found.isfinite().all()


def test_an_image_without_label_near_a_mean_is_one_with_its_label(make, images):
    autoencoder = make()
    with torch.no_grad():
        autoencoder.encoder.layers[1].weight.zero_()
        autoencoder.encoder.layers[1].bias.copy_(torch.tensor([0.0, 0.9, 0.1, 0.0]))
    labelled = autoencoder.terms(images, torch.ones_like(LABELS))["prior"]
    unlabelled = autoencoder.terms(images, torch.full_like(LABELS, UNLABELLED))["prior"]
    torch.testing.assert_close(unlabelled, labelled)
    (gradient,) = torch.autograd.grad(unlabelled.sum(), autoencoder.encoder.layers[1].bias)
    torch.testing.assert_close(gradient, 5 * 10 * 2 * torch.tensor([0.0, -0.1, 0.1, 0.0]))


@torch.no_grad()
def test_the_pull_on_images_without_label_grows_in_training_alone(make, images):
    autoencoder, unknown = make(warm_up=4), torch.full_like(LABELS, UNLABELLED)
    full = autoencoder.terms(images, unknown)["prior"]
    labelled = autoencoder.terms(images, LABELS)["prior"]
    autoencoder.train()
    for share in (0.25, 0.5, 0.75, 1.0, 1.0):
        torch.testing.assert_close(autoencoder.terms(images, unknown)["prior"], share * full)
    autoencoder.updates.zero_()
    torch.testing.assert_close(autoencoder.terms(images, LABELS)["prior"], labelled)
    assert int(autoencoder.eval().state_dict()["updates"]) == 1


@torch.no_grad()
def test_a_variable_entropy_costs_the_divergence_in_the_same_units(make, images):
    autoencoder = make(entropy="variable", variance=0.25, prior_weight=3.0)
    found = autoencoder.terms(images, LABELS)["prior"]
    mean, log_ratio = autoencoder.encoder(images).chunk(2, dim=1)
    own = Normal(mean, 0.5 * torch.exp(log_ratio / 2))
    prior = Normal(one_hot(CLASSES, LATENT)[LABELS], torch.tensor(0.5))
    torch.testing.assert_close(found, 3 * 2 * 0.25 * kl_divergence(own, prior).sum(dim=1))


@torch.no_grad()
def test_the_encoder_decides_how_much_noise_a_code_gets(make, images):
    autoencoder = make(entropy="variable", variance=1.0)
    autoencoder.encoder.layers[1].bias[LATENT:] = -60
    autoencoder.encoder.layers[1].weight[LATENT:] = 0
    with seeded(3):
        found = autoencoder.terms(images, LABELS)["reconstruction"]
    expected = (autoencoder.reconstruct(images) - images).square().flatten(1).sum(dim=1)
    torch.testing.assert_close(found, expected)


@torch.no_grad()
@pytest.mark.parametrize("entropy", ["constant", "variable"])
def test_training_reconstructs_from_noisy_codes(make, images, entropy):
    autoencoder = make(entropy=entropy, variance=0.25)
    with seeded(3):
        codes = autoencoder.noisy(images)
    with seeded(3):
        found = autoencoder.terms(images, LABELS)["reconstruction"]
    expected = (autoencoder.decode(codes) - images).square().flatten(1).sum(dim=1)
    torch.testing.assert_close(found, expected)
    assert ((codes - autoencoder.encode(images)).abs() > 1e-3).all()


@torch.no_grad()
def test_the_class_is_that_of_the_nearest_mean(make, images):
    autoencoder = make()
    autoencoder.encoder.layers[1].weight.mul_(10)
    codes = autoencoder.encode(images)
    nearest = torch.stack([(codes - mean).norm(dim=1) for mean in autoencoder.means]).argmin(dim=0)
    assert (autoencoder(images).argmax(dim=1) == nearest).all()
    assert len(nearest.unique()) > 1


@torch.no_grad()
def test_samples_of_a_class_are_decoded_from_its_gaussian(make):
    autoencoder = make(variance=1e-12)
    labels = torch.tensor([2, 0])
    torch.testing.assert_close(
        autoencoder.sample(labels), autoencoder.decode(torch.eye(CLASSES, LATENT)[labels]), rtol=0, atol=1e-4
    )


def test_means_on_an_axis_are_as_far_apart_as_one_hot_ones():
    means = on_axis(3, 2)
    assert (means[:, 1] == 0).all()
    torch.testing.assert_close(means.diff(dim=0).norm(dim=1), torch.full((2,), math.sqrt(2)))
    assert one_hot(3, 5)[:, 3:].eq(0).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"variance": 0.0}, "variance must be above 0"),
        ({"prior_weight": math.inf}, "prior_weight must be above 0 and finite"),
        ({"means": torch.eye(3)}, "means must have 4 units"),
    ],
)
def test_what_cannot_be_trained_is_refused(make, wrong, said):
    with pytest.raises(InputError, match=said):
        make(**wrong)
    with pytest.raises(InputError, match="latent units must be as many as classes, 5, or more"):
        one_hot(5, 4)
