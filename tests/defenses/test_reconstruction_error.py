"""The detector's scores beside the errors written out."""

import pytest
import torch

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.defenses.reconstruction_error import ReconstructionError
from purifold.randomness import seeded

SHAPE = (3, 6, 4)


def autoencoder(kind="plain"):
    with seeded(0):
        return AutoencoderSpec(kind=kind, network="ae-robustness", latent=3).build(SHAPE).eval()


def photos(count=5):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", ["plain", "variational"])
@pytest.mark.parametrize("order", [1, 2])
def test_the_score_is_the_mean_error_over_an_image_s_pixels(kind, order):
    network = autoencoder(kind)
    scores = ReconstructionError(network, order=order).eval()(photos()).detach()
    for image, score in zip(photos(), scores, strict=True):
        with torch.no_grad():
            difference = (image - network(image[None])[0]).abs() ** order
        assert score == pytest.approx(difference.sum().item() / (3 * 6 * 4), rel=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_perfect_reconstruction_scores_nothing_and_the_worst_scores_one(order):
    network = autoencoder()
    with torch.no_grad():
        for weight in network.decoder.parameters():
            weight.zero_()
        list(network.decoder.parameters())[-1].fill_(200.0)
    detector = ReconstructionError(network, order=order).eval()
    assert detector(torch.stack([torch.ones(SHAPE), torch.zeros(SHAPE)])).tolist() == [0.0, 1.0]


def test_images_unlike_the_reconstruction_are_rejected():
    network = autoencoder()
    familiar = network(photos(100)).detach()
    detector = ReconstructionError(network).eval()
    detector.calibrate(familiar, 0.02)
    assert int((~detector.accepts(familiar)).sum()) == 2
    assert not detector.accepts(1 - familiar.round()).any()
