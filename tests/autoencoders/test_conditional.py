import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal, kl_divergence

from purifold.autoencoders import conditional
from purifold.autoencoders.conditional import ConditionalAutoencoder
from purifold.errors import InputError
from purifold.networks.puvae import PlanesEncoder, PuvaeDecoder, PuvaeEncoder
from purifold.randomness import seeded

SHAPE, CLASSES, LATENT = (1, 8, 8), 5, 3


@pytest.fixture
def make():
    def made(encoder=PuvaeEncoder, **settings):
        with seeded(1):
            parts = encoder(SHAPE, CLASSES, LATENT), PuvaeDecoder(SHAPE, CLASSES, LATENT)
        return ConditionalAutoencoder(*parts, **settings).eval()

    return made


@pytest.fixture
def images():
    return torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def noise():
    return torch.randn(6, CLASSES, LATENT, generator=torch.Generator().manual_seed(3))


LABELS = torch.tensor([0, 4, 2, 2, 1, 3])


@pytest.mark.parametrize("encoder", [PuvaeEncoder, PlanesEncoder])
def test_the_search_is_the_loop_over_images_and_classes(make, images, noise, encoder):
    autoencoder = make(encoder)
    found, labels = autoencoder.search(images, noise)
    for row, image in enumerate(images):
        candidates = []
        for label in range(CLASSES):
            mean, spread = autoencoder.encoder(image[None], torch.tensor([label]))
            latent = mean + spread * noise[row, label]
            candidates.append(autoencoder.decoder(latent, torch.tensor([label]))[0])
        errors = torch.stack([(candidate - image).square().mean().sqrt() for candidate in candidates])
        assert labels[row] == errors.argmin()
        torch.testing.assert_close(found[row], candidates[errors.argmin()], rtol=0, atol=1e-5)
    assert len(labels.unique()) > 1


@pytest.mark.parametrize("rows", [1, 7, 12, 10_000])
def test_portions_of_classes_change_nothing(make, images, noise, monkeypatch, rows):
    autoencoder = make()
    whole = autoencoder.search(images, noise)
    decoded = []
    autoencoder.decoder.register_forward_pre_hook(lambda module, given: decoded.append(len(given[0])))
    monkeypatch.setattr(conditional, "ROWS", rows)
    found = autoencoder.search(images, noise)
    assert torch.equal(found[1], whole[1])
    torch.testing.assert_close(found[0], whole[0], rtol=0, atol=1e-6)
    assert max(decoded) <= max(rows, len(images))
    assert sum(decoded) == len(images) * (CLASSES + 1)


def test_convolutions_run_once_an_image(make, images, noise):
    autoencoder = make()
    seen = []
    autoencoder.encoder.convolutions.register_forward_pre_hook(
        lambda module, given: seen.append(len(given[0]))
    )
    autoencoder.search(images, noise)
    assert seen == [len(images)]


@pytest.mark.parametrize("encoder", [PuvaeEncoder, PlanesEncoder])
def test_every_label_is_read(make, images, encoder):
    means = [make(encoder).encoder(images, torch.full((6,), label))[0] for label in range(CLASSES)]
    for place, mean in enumerate(means):
        assert all((mean - other).abs().max() > 1e-6 for other in means[:place])


def test_the_gradient_is_that_of_the_chosen_class(make, images, noise):
    autoencoder = make().double()
    images, noise = images.double(), noise.double()
    inputs = images.clone().requires_grad_()
    found, labels = autoencoder.search(inputs, noise)
    (gradient,) = torch.autograd.grad(found.square().sum(), inputs)
    again = images.clone().requires_grad_()
    mean, spread = autoencoder.encoder(again, labels)
    alone = autoencoder.decoder(mean + spread * noise[torch.arange(6), labels], labels)
    (expected,) = torch.autograd.grad(alone.square().sum(), again)
    torch.testing.assert_close(gradient, expected)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("pixels", ["sum", "mean"])
@pytest.mark.parametrize("units", ["sum", "mean"])
def test_terms_are_those_of_torch_s_distributions_and_losses(make, images, pixels, units):
    autoencoder = make(rc_weight=0.5, kl_weight=3.0, ce_weight=7.0, pixels=pixels, units=units)
    source = nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES))
    with seeded(5):
        found = autoencoder.terms(images, LABELS, source)
    with seeded(5):
        draws = torch.randn(6, LATENT)
    mean, spread = autoencoder.encoder(images, LABELS)
    purified = autoencoder.decoder(mean + spread * draws, LABELS)
    reduce = {"sum": torch.sum, "mean": torch.mean}
    distortion = F.binary_cross_entropy(purified, images, reduction="none").flatten(1)
    divergence = kl_divergence(Normal(mean, spread), Normal(0.0, 1.0))
    expected = {
        "reconstruction": 0.5 * reduce[pixels](distortion, dim=1),
        "kl": 3.0 * reduce[units](divergence, dim=1),
        "source": -7.0 * source(purified).log_softmax(dim=1)[torch.arange(6), LABELS],
    }
    assert found.keys() == expected.keys()
    for name, scores in expected.items():
        torch.testing.assert_close(found[name], scores, rtol=1e-4, atol=1e-5)
    with seeded(5):
        torch.testing.assert_close(autoencoder.loss(images, LABELS, source), sum(expected.values()))


def test_a_spread_that_underflows_keeps_the_loss_finite(make, images):
    autoencoder = make()
    nn.init.constant_(autoencoder.encoder.rest[-1].bias, -1e4)
    loss = autoencoder.loss(images, LABELS, nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES)))
    assert loss.isfinite().all()


def test_reconstructions_without_noise_are_decoded_means(make, images):
    autoencoder = make()
    mean, _ = autoencoder.encoder(images, LABELS)
    torch.testing.assert_close(autoencoder.reconstruct(images, LABELS), autoencoder.decoder(mean, LABELS))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kl_weight": -1.0}, "kl_weight must be 0 or above and finite, got -1.0"),
        ({"ce_weight": float("inf")}, "ce_weight must be 0 or above and finite, got inf"),
        ({"pixels": "max"}, "unknown reduction 'max'"),
    ],
)
def test_settings_that_nothing_can_be_trained_with_are_refused(settings, message):
    known = {"rc_weight": 1.0, "kl_weight": 1.0, "ce_weight": 1.0, "pixels": "sum", "units": "mean"}
    with pytest.raises(InputError, match=message):
        conditional.check_weights(**known | settings)


def test_halves_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="decoder must have the encoder's classes 5, got 4"):
        ConditionalAutoencoder(PuvaeEncoder(SHAPE, 5, 3), PuvaeDecoder(SHAPE, 4, 3))
