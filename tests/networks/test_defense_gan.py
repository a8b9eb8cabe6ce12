"""Defense-GAN's generator and critic: those of Gulrajani et al. for MNIST, at any size."""

import pytest
import torch

from purifold.networks.defense_gan import Critic, Generator


def test_parameters_are_those_of_gulrajani_et_al_for_mnist(count):
    dense = 128 * 4096 + 4096
    rising = (256 * 128 + 128 * 64 + 64) * 25 + 128 + 64 + 1
    assert count(Generator((1, 28, 28), 128, 64)) == dense + rising
    falling = (64 + 64 * 128 + 128 * 256) * 25 + 64 + 128 + 256
    assert count(Critic((1, 28, 28), 64)) == falling + 256 * 4 * 4 + 1


def test_the_sizes_in_between_are_those_of_the_source_seven_after_four():
    generator = Generator((1, 28, 28), 8, 2)
    sizes, maps = [], torch.rand(1, 8)
    for layer in generator.layers:
        maps = layer(maps)
        sizes.append(tuple(maps.shape[1:]))
    assert [size for size in dict.fromkeys(sizes) if len(size) == 3] == [
        (8, 4, 4),
        (4, 7, 7),
        (2, 14, 14),
        (1, 28, 28),
    ]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 5, 11), (3, 1, 1)])
def test_every_size_is_made_in_the_unit_interval_and_looked_at(shape):
    images = Generator(shape, 3, 2)(torch.randn(4, 3) * 50)
    assert images.shape == (4, *shape)
    assert images.min() >= 0
    assert images.max() <= 1
    assert Critic(shape, 2)(images).shape == (4,)


def test_an_images_mates_change_nothing_for_it():
    critic, images = Critic((1, 8, 8), 2).double(), torch.rand(6, 1, 8, 8).double()
    alone = torch.cat([critic(image[None]) for image in images])
    torch.testing.assert_close(critic(images), alone)


def test_every_latent_unit_reaches_every_pixel():
    torch.manual_seed(0)
    generator = Generator((1, 8, 8), 3, 4).double()
    jacobian = torch.autograd.functional.jacobian(generator, torch.randn(1, 3).double())
    assert (jacobian.reshape(64, 3) != 0).all()
