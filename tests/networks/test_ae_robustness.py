import pytest
import torch

from purifold.networks.ae_robustness import AeRobustnessClassifier, AeRobustnessDecoder, AeRobustnessEncoder


def test_classifier_parameters_are_those_of_four_convolutions_and_one_dense_layer(count):
    by_hand = (
        (9 * 1 + 1) * 32 + (9 * 32 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64 + (7 * 7 * 64 + 1) * 10
    )
    assert count(AeRobustnessClassifier((1, 28, 28), 10)) == by_hand


def test_encoder_parameters_are_those_of_two_convolutions_and_one_dense_layer(count):
    by_hand = (9 * 1 + 1) * 32 + (9 * 32 + 1) * 32 + (7 * 7 * 32 + 1) * 128
    assert count(AeRobustnessEncoder((1, 28, 28), 128)) == by_hand


def test_decoder_parameters_are_those_of_one_dense_layer_and_two_convolutions(count):
    by_hand = (128 + 1) * 8 * 8 * 32 + (9 * 32 + 1) * 32 + 9 * 32 * 3 + 3
    assert count(AeRobustnessDecoder((3, 32, 32), 128)) == by_hand


@pytest.mark.parametrize("height", range(1, 10))
@pytest.mark.parametrize("width", [1, 2, 7, 8])
def test_every_size_comes_back(height, width):
    shape = (2, height, width)
    images = torch.rand(2, *shape)
    code = AeRobustnessEncoder(shape, 3)(images)
    assert AeRobustnessDecoder(shape, 3)(code).shape == images.shape
    assert AeRobustnessClassifier(shape, 4)(images).shape == (2, 4)
