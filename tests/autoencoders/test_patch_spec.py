"""The VAEs of patches are those of the paper's table 3."""

import pytest
import torch

from purifold.autoencoders.patch_spec import PatchSpec
from purifold.errors import InputError


@pytest.mark.parametrize(
    ("patch", "latent", "network"), [(16, 512, "patch-vae-16"), (32, 512, "patch-vae-32")]
)
def test_a_size_of_the_paper_has_the_paper_s_network(patch, latent, network):
    autoencoder = PatchSpec(patch=patch, latent=latent).build((3, 299, 299))
    assert autoencoder.shape == (3, patch, patch)
    assert (autoencoder.encoder.name, autoencoder.latent_size) == (network, latent)


def test_another_size_has_the_layers_of_the_small_ones():
    autoencoder = PatchSpec(patch=4, latent=3).build((1, 8, 8))
    assert autoencoder.reconstruct(torch.rand(2, 1, 4, 4)).shape == (2, 1, 4, 4)


def test_training_clips_the_draws_and_weighs_the_divergence_as_it_is_told():
    autoencoder = PatchSpec(patch=4, latent=3, beta=0.25, latent_clip=2.0).build((1, 8, 8))
    assert (autoencoder.beta, autoencoder.latent_clip) == (0.25, 2.0)
    assert PatchSpec().latent_clip == 5.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 0}, "patch must be 1 or above"),
        ({"latent": 0}, "latent must be 1 or above"),
        ({"beta": -1.0}, "beta must be 0 or above"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        PatchSpec(**options)
