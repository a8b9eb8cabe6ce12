import pytest
import torch
from torch import nn

from purifold.networks.base import build_decoder, build_encoder
from purifold.networks.patch_vae import PatchVaeCifarDecoder, PatchVaeMnistDecoder, PatchVaeMnistEncoder
from purifold.networks.upsampled import UpsampledConv


def conv(before, after):
    return (9 * before + 1) * after


@pytest.mark.parametrize(
    ("name", "shape", "latent", "widths", "features"),
    [
        ("patch-vae-mnist", (1, 28, 28), 256, (16, 8), 7 * 7 * 8),
        ("patch-vae-cifar", (3, 32, 32), 1024, (64, 32, 16), 16 * 16 * 16),
        ("patch-vae-16", (3, 16, 16), 512, (64, 32, 16), 8 * 8 * 16),
        ("patch-vae-32", (3, 32, 32), 512, (64, 32, 16), 16 * 16 * 16),
        ("patch-vae-64", (3, 64, 64), 1024, (128, 64, 32), 32 * 32 * 32),
    ],
)
def test_parameters_are_those_of_tables_2_and_3(name, shape, latent, widths, features, count):
    chain = (shape[0], *widths)
    down = sum(conv(before, after) for before, after in zip(chain, widths, strict=False))
    up = sum(conv(after, before) for before, after in zip(chain, widths, strict=False))
    assert count(build_encoder(name, shape, 2 * latent)) == down + (features + 1) * 2 * latent
    assert count(build_decoder(name, shape, latent)) == up + (latent + 1) * features


def sizes(network, batch):
    """Shapes after each convolution, transposed, up-sampled or plain, and pool."""
    found = []
    for layer in network.layers:
        batch = layer(batch)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.MaxPool2d | UpsampledConv | nn.Unflatten):
            found.append(tuple(batch.shape[1:]))
    return found


def test_the_mnist_encoder_passes_through_the_sizes_of_table_2():
    found = sizes(PatchVaeMnistEncoder((1, 28, 28), 256), torch.rand(1, 1, 28, 28))
    assert found == [(16, 28, 28), (16, 14, 14), (8, 14, 14), (8, 7, 7)]


def test_the_mnist_decoder_goes_back_the_same_way():
    found = sizes(PatchVaeMnistDecoder((1, 28, 28), 256), torch.randn(1, 256))
    assert found == [(8, 7, 7), (16, 14, 14), (1, 28, 28)]


def test_the_cifar_decoder_goes_back_the_same_way():
    found = sizes(PatchVaeCifarDecoder((3, 32, 32), 9), torch.randn(1, 9))
    assert found == [(16, 16, 16), (32, 16, 16), (64, 16, 16), (3, 32, 32)]


def test_a_decoder_up_samples_before_a_transposed_convolution():
    decoder, latent = PatchVaeMnistDecoder((1, 8, 8), 5), torch.randn(2, 5)
    maps = decoder.layers[:3](latent)
    for place in (3, 5):
        single = decoder.layers[place].convolution
        widened = nn.functional.interpolate(maps.relu(), scale_factor=2)
        kernel = single.weight.flip(2, 3).transpose(0, 1)
        maps = nn.functional.conv_transpose2d(widened, kernel, single.bias, padding=1)
    torch.testing.assert_close(decoder.logits(latent), maps)


def test_a_pool_before_the_relu_gives_what_one_after_it_gives():
    encoder = PatchVaeMnistEncoder((1, 8, 8), 5)
    images = torch.rand(3, 1, 8, 8)
    hidden = images
    for place in (0, 3):
        hidden = nn.functional.max_pool2d(encoder.layers[place](hidden).clamp(min=0), 2)
    torch.testing.assert_close(encoder(images), encoder.layers[-1](hidden.flatten(1)))
