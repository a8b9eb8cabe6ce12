"""Reconstruction beside the autoencoder taken apart."""

import math

import pytest
import torch

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.defenses.reconstruction import Reconstruction
from purifold.errors import InputError
from purifold.randomness import seeded

SHAPE = (1, 8, 8)


def autoencoder(kind):
    with seeded(0):
        return AutoencoderSpec(kind=kind, network="ae-robustness", latent=3).build(SHAPE).eval()


def photos(count=5):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", ["plain", "variational"])
def test_without_sampling_it_is_the_decoded_code_and_so_is_the_surrogate(kind):
    network = autoencoder(kind)
    purifier = Reconstruction(network)
    expected = network.decode(network.encode(photos()))
    assert torch.equal(purifier(photos()), expected)
    assert torch.equal(purifier.surrogate(photos()), expected)
    assert not purifier.stochastic


@pytest.mark.parametrize("scale", [0.001, 1.0, 10.0])
@pytest.mark.parametrize("clip", [0.5, math.inf])
def test_sampled_codes_lie_off_the_mean_by_the_scaled_and_clipped_draw(scale, clip):
    network = autoencoder("variational")
    mean, log_variance = network.posterior(photos())
    with seeded(3):
        draws = torch.randn_like(mean).clamp(-clip, clip)
    expected = network.decode(mean + scale * torch.exp(log_variance / 2) * draws)
    purifier = Reconstruction(network, latent_scale=scale, clip=clip)
    with seeded(3):
        purified = purifier(photos())
    assert torch.allclose(purified, expected, atol=1e-6)
    assert purifier.stochastic
    assert torch.equal(purifier.surrogate(photos()), network.decode(mean))


@pytest.mark.parametrize("scale", [-0.1, 10.1, math.inf, math.nan])
def test_a_latent_scale_outside_0_to_10_is_refused(scale):
    with pytest.raises(InputError, match=r"latent_scale must lie in \[0, 10\]"):
        Reconstruction(autoencoder("variational"), latent_scale=scale)


@pytest.mark.parametrize("clip", [0.0, -1.0, math.nan])
def test_a_clip_that_leaves_nothing_is_refused(clip):
    with pytest.raises(InputError, match="clip must be above 0"):
        Reconstruction(autoencoder("variational"), latent_scale=1.0, clip=clip)


def test_sampling_without_a_posterior_is_refused_before_use():
    with pytest.raises(InputError, match=r"latent_scale must be 0 for a plain autoencoder.* got 1\.0"):
        Reconstruction(autoencoder("plain"), latent_scale=1.0)


def test_its_repr_has_its_configuration():
    assert "latent_scale=0.5, clip=2" in repr(
        Reconstruction(autoencoder("variational"), latent_scale=0.5, clip=2.0)
    )
