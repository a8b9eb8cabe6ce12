import torch

from purifold.networks.mlp import Mlp


def test_parameters_are_those_of_784_200_200_10(count):
    assert count(Mlp((1, 28, 28), 10)) == (784 + 1) * 200 + (200 + 1) * 200 + (200 + 1) * 10


def test_logits_are_two_rectified_matrix_products_and_a_third():
    network = Mlp((1, 3, 3), 4)
    images = torch.rand(5, 1, 3, 3)
    hidden = images.flatten(1)
    first, second, last = (network.layers[place] for place in (1, 3, 5))
    for layer in (first, second):
        hidden = (hidden @ layer.weight.T + layer.bias).clamp(min=0)
    torch.testing.assert_close(network(images), hidden @ last.weight.T + last.bias)
