"""What every network keeps, by discovery: a new file is tested without an entry here."""

import contextlib

import pytest
import torch

from purifold.errors import InputError
from purifold.networks import base

SHAPES = [(2, 13, 7), (1, 8, 8), (1, 28, 28), (3, 32, 32)]
OF_PAIRS = [*SHAPES, (3, 16, 16), (3, 64, 64), (3, 128, 128)]
OWN = {
    "ae-robustness": [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 13, 7)],
    "gm-vae": [(1, 28, 28), (3, 32, 32), (3, 128, 128)],
    "mobilenet-v2": [(3, 32, 32), (1, 8, 8)],
    "mlp": [(1, 28, 28), (3, 32, 32), (2, 13, 7)],
    "patch-vae-16": [(3, 16, 16)],
    "patch-vae-32": [(3, 32, 32)],
    "patch-vae-64": [(3, 64, 64)],
    "patch-vae-cifar": [(3, 32, 32)],
    "patch-vae-mnist": [(1, 28, 28)],
    "puvae-a": [(1, 28, 28)],
    "puvae-b": [(1, 28, 28)],
    "puvae-c": [(3, 32, 32)],
    "resnet": [(3, 32, 32), (1, 28, 28), (2, 13, 7)],
    "small-cnn": [(1, 8, 8), (1, 28, 28), (2, 13, 7)],
}
"""Shapes that a paper gives the network or that its docstring promises."""
CLASSIFIERS, AUTOENCODERS = base.classifier_names(), base.autoencoder_names()


def taken(build, name, number):
    """The networks of every shape that `name` takes."""
    networks = []
    for shape in SHAPES if build is base.build_classifier else OF_PAIRS:
        with contextlib.suppress(InputError):
            networks.append(build(name, shape, number))
    return networks


def smallest(build, name, number):
    """A network of this name that is quick to run, in evaluation mode."""
    return min(taken(build, name, number), key=lambda network: network.shape[1]).eval()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_takes_its_shapes_and_gives_one_logit_a_class(name):
    networks = taken(base.build_classifier, name, 7)
    assert {network.shape for network in networks} >= set(OWN.get(name, [networks[0].shape]))
    for network in networks:
        assert network.eval()(torch.rand(2, *network.shape)).shape == (2, 7)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_pair_takes_its_shapes_and_decodes_to_the_shape_it_encodes(name):
    encoders, decoders = taken(base.build_encoder, name, 10), taken(base.build_decoder, name, 5)
    shapes = [encoder.shape for encoder in encoders]
    assert shapes == [decoder.shape for decoder in decoders]
    assert set(shapes) >= set(OWN.get(name, shapes[:1]))
    for encoder, decoder in zip(encoders, decoders, strict=True):
        assert encoder(torch.rand(2, *encoder.shape)).shape == (2, 10)
        assert decoder(torch.randn(2, 5)).shape == (2, *encoder.shape)


def test_every_encoder_has_a_decoder_of_its_name():
    assert set(base.discovery.classes(base.Encoder)) == set(base.discovery.classes(base.Decoder))


def test_the_papers_networks_are_there():
    assert {*CLASSIFIERS, *AUTOENCODERS} >= set(OWN)
    assert {"ae-robustness", "patch-vae-mnist", "patch-vae-cifar"} <= set(CLASSIFIERS) & set(AUTOENCODERS)


MODULES = [
    *(pytest.param(base.build_classifier, name, id=f"classifier-{name}") for name in CLASSIFIERS),
    *(pytest.param(base.build_encoder, name, id=f"encoder-{name}") for name in AUTOENCODERS),
    *(pytest.param(base.build_decoder, name, id=f"decoder-{name}") for name in AUTOENCODERS),
]


def batch_for(network, count):
    if isinstance(network, base.Decoder):
        return torch.randn(count, network.latent)
    return torch.rand(count, *network.shape)


@pytest.mark.parametrize(("build", "name"), MODULES)
def test_the_gradient_reaches_every_parameter(build, name):
    network = smallest(build, name, 6)
    outputs = network(batch_for(network, 8))
    gradients = torch.autograd.grad((outputs * torch.randn_like(outputs)).sum(), tuple(network.parameters()))
    for (parameter, _), gradient in zip(network.named_parameters(), gradients, strict=True):
        assert gradient.abs().max() > 0, parameter


@pytest.mark.parametrize(("build", "name"), MODULES)
def test_an_image_alone_gives_what_it_gives_in_a_batch(build, name):
    network = smallest(build, name, 6)
    batch = batch_for(network, 5)
    together = network(batch)
    for row in range(5):
        torch.testing.assert_close(network(batch[row : row + 1])[0], together[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("build", "name"), MODULES)
def test_evaluation_is_deterministic_and_changes_no_state(build, name):
    network = smallest(build, name, 6)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    batch = batch_for(network, 4)
    assert torch.equal(network(batch), network(batch))
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[key]), key


@pytest.mark.parametrize(("build", "name"), MODULES)
def test_weights_are_drawn_from_torchs_generator_alone(build, name):
    torch.manual_seed(5)
    one = smallest(build, name, 6)
    torch.manual_seed(5)
    other = smallest(build, name, 6)
    for first, second in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_decoded_pixels_lie_in_the_unit_interval_even_for_huge_latents(name):
    decoder = smallest(base.build_decoder, name, 4)
    for scale in (1.0, 1e6):
        pixels = decoder(scale * torch.randn(3, 4))
        assert 0 <= pixels.min() <= pixels.max() <= 1


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_decoded_images_are_the_sigmoid_of_the_logits(name):
    decoder = smallest(base.build_decoder, name, 4)
    latent = torch.randn(3, 4)
    torch.testing.assert_close(decoder(latent), 1 / (1 + torch.exp(-decoder.logits(latent))))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_only_training_mode_drops_out_and_counts_batches(name):
    network = smallest(base.build_classifier, name, 6)
    random = any(isinstance(layer, torch.nn.Dropout) for layer in network.modules())
    normed = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    batch = batch_for(network, 4)
    settled = network(batch)
    assert torch.equal(network(batch), settled)
    network.train()
    assert torch.equal(network(batch), network(batch)) != random
    assert all(layer.num_batches_tracked == 2 for layer in normed)
    assert torch.allclose(network(batch), settled, atol=1e-5) != (random or bool(normed))
