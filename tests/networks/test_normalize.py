import pytest
import torch

from purifold.errors import InputError
from purifold.networks.normalize import Normalize


def test_normalised_images_of_the_stated_statistics_have_mean_0_and_deviation_1():
    images = torch.rand(64, 3, 8, 8)
    mean, std = images.mean((0, 2, 3)), images.std((0, 2, 3))
    normalised = Normalize(mean.tolist(), std.tolist())(images)
    torch.testing.assert_close(normalised.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalised.std((0, 2, 3)), torch.ones(3))


def test_the_statistics_are_saved_with_the_weights_and_not_trained():
    layer = Normalize([0.1, 0.2], [0.3, 0.4])
    assert set(layer.state_dict()) == {"mean", "std"}
    assert not list(layer.parameters())


def test_statistics_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="one entry a channel each, got 1 and 2"):
        Normalize([0.5], [0.5, 0.5])
