import math

import pytest
import torch

from purifold.autoencoders.plain import PlainAutoencoder
from purifold.errors import InputError


def test_a_reconstruction_is_the_decoded_code(curved, mirror, images):
    autoencoder = PlainAutoencoder(curved(3), mirror(3))
    assert torch.equal(autoencoder.reconstruct(images), autoencoder.decode(autoencoder.encode(images)))
    assert torch.equal(autoencoder(images), autoencoder.reconstruct(images, latent_scale=0.0, clip=math.inf))
    assert (autoencoder.shape, autoencoder.latent_size) == ((1, 4, 4), 3)


def test_codes_are_the_encoders_outputs(curved, mirror, images):
    encoder = curved(3)
    assert torch.equal(PlainAutoencoder(encoder, mirror(3)).encode(images), encoder(images))


@pytest.mark.parametrize("sampling", [{"latent_scale": 0.1}, {"clip": 5.0}])
def test_sampling_is_refused(sampling, curved, mirror, images):
    with pytest.raises(InputError, match="a plain autoencoder has none"):
        PlainAutoencoder(curved(3), mirror(3)).reconstruct(images, **sampling)
