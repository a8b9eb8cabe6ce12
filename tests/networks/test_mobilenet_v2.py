"""MobileNetV2 beside what Keras publishes of it: its parameters, its padding, its file of weights."""

import numpy as np
import pytest
import torch
from torch import nn

from purifold.errors import Failure
from purifold.networks.mobilenet_v2 import MobileNetV2, _convolution, mobilenet_v2

PHOTOS = (3, 299, 299)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return mobilenet_v2.build(PHOTOS, 1000).eval()


def layers(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def stored(network, path):
    """A file as it is published, with other numbers; what each weight then is."""
    random, arrays, expected = np.random.default_rng(0), {}, []
    for place, layer in enumerate(layers(network)):
        small = random.integers(-127, 128, layer.weight.shape).astype(np.int8)
        scales = random.uniform(1e-3, 1e-2, len(small)).astype(np.float32)
        arrays |= {f"w{place:02}": small, f"s{place:02}": scales, f"b{place:02}": scales - 1}
        expected.append((small.astype(np.float32) * scales.reshape(-1, *[1] * (small.ndim - 1)), scales - 1))
    np.savez(path, **arrays)
    return expected


def test_it_has_the_weights_of_keras_with_its_batch_norms_folded(network, count):
    # Keras: 3,538,984 parameters, 4 a channel of batch norm, of which 2 are not trained: 34,112 numbers.
    channels = 34_112 // 2
    assert count(network) == 3_538_984 - 4 * channels + channels
    assert len(layers(network)) == 53


def test_a_layer_of_stride_two_starts_at_the_first_pixel():
    pad, convolution = _convolution(1, 1, stride=2)
    with torch.no_grad():
        convolution.weight.zero_()[0, 0, 0, 0] = 1
        convolution.bias.zero_()
    images = torch.rand(1, 1, 10, 8)
    assert torch.equal(convolution(pad(images)), images[:, :, ::2, ::2])


def test_the_last_features_are_seven_by_seven(network):
    sizes = []
    hook = layers(network)[-2].register_forward_hook(lambda layer, given, made: sizes.append(made.shape[1:]))
    network(torch.rand(1, *PHOTOS))
    hook.remove()
    assert sizes == [(1280, 7, 7)]


def test_weights_are_bytes_times_the_scale_of_their_channel(network, tmp_path):
    expected = stored(network, tmp_path / "weights.npz")
    state = mobilenet_v2.read(network, tmp_path / "weights.npz")
    names = [name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    for name, (weight, bias) in zip(names, expected, strict=True):
        assert np.allclose(state[f"{name}.weight"].numpy(), weight)
        assert np.allclose(state[f"{name}.bias"].numpy(), bias)
    assert state.keys() == network.state_dict().keys()


@pytest.mark.parametrize("content", [b"nothing", b""])
def test_a_damaged_file_is_a_failure_that_names_it(network, tmp_path, content):
    (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(Failure, match=r"weights\.npz does not hold the weights of mobilenet-v2"):
        mobilenet_v2.read(network, tmp_path / "weights.npz")


def test_images_of_any_size_are_normalised_and_resized_inside(network):
    photos = torch.rand(1, *PHOTOS)
    small = nn.functional.interpolate(photos, (224, 224), mode="bilinear", align_corners=False)
    inner = MobileNetV2((3, 224, 224), 1000).eval()  # without a normalisation of its own
    inner.load_state_dict(
        {name: value for name, value in network.state_dict().items() if "normalize" not in name}
    )
    torch.testing.assert_close(network(photos), inner(2 * small - 1), atol=1e-5, rtol=1e-4)


def test_it_can_be_differentiated(network):
    photos = torch.rand(1, *PHOTOS, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(photos)[0, 3], photos)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0
