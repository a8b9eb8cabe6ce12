"""The Frechet distance against scipy's matrix root and the closed form of independent features."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import nn

from purifold.errors import InputError
from purifold.evaluation.frechet import features, frechet_distance


def drawn(seed, count=400, size=5):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=generator, dtype=torch.double)
    return torch.randn(count, size, generator=generator, dtype=torch.double) @ mixing + seed


def test_it_is_the_formula_with_scipy_s_root():
    first, second = drawn(1), drawn(2)
    covariances = [np.cov(found.numpy(), rowvar=False) for found in (first, second)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    apart = ((first.mean(dim=0) - second.mean(dim=0)) ** 2).sum()
    expected = float(apart) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-6)


def test_a_set_is_at_no_distance_from_itself_and_a_shift_is_its_square():
    first = drawn(3)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(first, first + 2) == pytest.approx(4 * 5, rel=1e-6)


def test_a_constant_feature_is_no_trouble():
    first, second = drawn(4), drawn(5)
    first[:, 0], second[:, 0] = 1, 1
    assert np.isfinite(frechet_distance(first, second))


def test_features_are_what_the_last_dense_layer_reads():
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(16, 7), nn.ReLU(), nn.Linear(7, 3)).eval()
    images = torch.rand(300, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    expected = classifier[:3](images)
    torch.testing.assert_close(features(classifier, images), expected)
    assert not classifier[3]._forward_pre_hooks
    with pytest.raises(InputError, match="dense layer"):
        features(nn.Flatten().eval(), images)
