import pytest
import torch

from purifold.networks.gm_vae import GmVaeDecoder, GmVaeEncoder


def conv(before, after):
    return (9 * before + 1) * after


def dense(before, after):
    return (before + 1) * after


@pytest.mark.parametrize(
    ("shape", "widths", "core"),
    [
        ((1, 28, 28), (32, 64), 7 * 7 * 64),
        ((3, 32, 32), (32, 64, 128), 4 * 4 * 128),
        ((3, 128, 128), (16, 32, 64, 128, 128), 4 * 4 * 128),
    ],
)
def test_parameters_are_those_of_the_stages(shape, widths, core, count):
    stages = sum(conv(a, b) + conv(b, b) for a, b in zip((shape[0], *widths), widths, strict=False))
    assert count(GmVaeEncoder(shape, 10)) == stages + dense(core, 256) + dense(256, 10)
    upwards = sum(conv(a, b) for a, b in zip((widths[-1], *widths[::-1]), widths[::-1], strict=False))
    assert count(GmVaeDecoder(shape, 10)) == dense(10, 256) + dense(256, core) + upwards + conv(
        widths[0], shape[0]
    )


def test_every_pixel_reaches_the_code_and_every_unit_the_image():
    shape = (1, 28, 28)
    images = torch.rand(1, *shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(GmVaeEncoder(shape, 10)(images).square().sum(), images)
    assert (gradient != 0).all()
    latent = torch.randn(1, 10, requires_grad=True)
    (gradient,) = torch.autograd.grad(GmVaeDecoder(shape, 10)(latent).square().sum(), latent)
    assert (gradient != 0).all()
