import pytest
import torch
from torch import nn

from purifold.autoencoders.magnet import MagnetAutoencoder, MagnetSpec
from purifold.errors import InputError
from purifold.networks.magnet import MagnetNetwork
from purifold.randomness import seeded


@pytest.fixture
def images():
    return torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def test_without_noise_the_loss_is_the_mean_squared_error_of_the_reconstruction(images):
    autoencoder = MagnetSpec(noise_std=0.0).build((1, 6, 6))
    expected = nn.MSELoss(reduction="none")(autoencoder.reconstruct(images), images).mean(dim=(1, 2, 3))
    torch.testing.assert_close(autoencoder.loss(images), expected)


def test_noise_is_on_the_input_alone_and_clamped(images):
    autoencoder = MagnetAutoencoder(MagnetNetwork((1, 6, 6), width=2, pooled=False), noise_std=0.5)
    autoencoder.network.layers = nn.Identity()
    with seeded(3):
        loss = autoencoder.loss(images)
    with seeded(3):
        noisy = (images + 0.5 * torch.randn(images.shape)).clamp(0, 1)
    torch.testing.assert_close(loss, (noisy - images).square().mean(dim=(1, 2, 3)))
    assert torch.equal(autoencoder.reconstruct(images), images)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("width", 0, "width must be 1"),
        ("noise_std", -0.1, "noise_std must be 0"),
        ("noise_std", torch.inf, "noise_std must be 0"),
    ],
)
def test_what_cannot_be_built_is_refused(field, value, message):
    with pytest.raises(InputError, match=message):
        MagnetSpec(**{field: value})
