import pytest
import torch
from torch import nn

from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.defenses.puvae import SOFTNESS, ClassSearch
from purifold.errors import InputError
from purifold.randomness import seeded

CLASSES = 4


@pytest.fixture
def autoencoder():
    with seeded(0):
        return ConditionalSpec(latent=3).build((1, 8, 8), CLASSES).double().eval()


@pytest.fixture
def images():
    return torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def classifier():
    with seeded(3):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES)).double().eval()


def reconstructions(autoencoder, images):
    labels = torch.arange(CLASSES)
    return torch.stack([autoencoder.reconstruct(images, label.expand(len(images))) for label in labels])


def distances(autoencoder, images):
    return (reconstructions(autoencoder, images) - images).square().flatten(2).mean(dim=2)


def test_without_noise_the_nearest_reconstruction_of_the_means_is_kept(autoencoder, images):
    purifier = ClassSearch(autoencoder, noise=0.0).eval()
    found, errors = reconstructions(autoencoder, images), distances(autoencoder, images)
    nearest = found[errors.argmin(dim=0), torch.arange(5)]
    torch.testing.assert_close(purifier(images), nearest)
    torch.testing.assert_close(purifier.surrogate(images), nearest)
    assert not purifier.stochastic


def test_noise_scales_what_is_drawn(autoencoder, images):
    def apart(noise):
        with seeded(1):
            moved = ClassSearch(autoencoder, noise=noise)(images) - surrogate
        return moved.detach().square().mean().sqrt().item()

    surrogate = ClassSearch(autoencoder).surrogate(images)
    assert apart(0.02) / apart(0.01) == pytest.approx(2, rel=0.05)
    assert apart(1e-12) < 1e-9


def test_the_selection_prefers_the_nearer_by_shares_of_the_least_error(autoencoder, images, classifier):
    errors = distances(autoencoder, images)
    logits = ClassSearch(autoencoder).stand_ins(classifier)["selection"](images)
    assert torch.equal(logits.argmax(dim=1), errors.argmin(dim=0))
    first, second = errors.sort(dim=0).values[:2]
    gaps = logits.topk(2, dim=1).values.diff(dim=1)[:, 0]
    torch.testing.assert_close(gaps, -(second - first) / (SOFTNESS * first))


def test_the_soft_search_mixes_reconstructions_by_their_nearness(autoencoder, images, classifier):
    found, errors = reconstructions(autoencoder, images), distances(autoencoder, images)
    shares = (-errors / (SOFTNESS * errors.amin(dim=0))).softmax(dim=0)
    mixed = torch.einsum("kb,kbchw->bchw", shares, found)
    soft = ClassSearch(autoencoder).stand_ins(classifier)["soft"]
    torch.testing.assert_close(soft(images), classifier(mixed))


@pytest.mark.parametrize("noise", [-0.1, float("inf"), float("nan")])
def test_noise_that_is_no_scale_is_refused(autoencoder, noise):
    with pytest.raises(InputError, match="noise must be 0 or above and finite"):
        ClassSearch(autoencoder, noise=noise)


def test_half_precision_chooses_the_same_and_stays_near(autoencoder, images, monkeypatch):
    """bfloat16 has 8 bits: 1/256 of a value."""
    monkeypatch.setattr("purifold.defenses.precision.has_bfloat16", lambda device: True)
    whole, half = (ClassSearch(autoencoder.float(), noise=0.0, precision=p) for p in ("float32", "bfloat16"))
    found = half(images.float())
    assert found.dtype == torch.float32
    assert 0 < (found - whole(images.float())).abs().max() < 0.02
