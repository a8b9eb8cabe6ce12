import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from purifold.errors import InputError
from purifold.threat import ThreatModel

threats = st.one_of(
    st.builds(ThreatModel, st.just("linf"), st.floats(0, 1) | st.just(math.inf)),
    st.builds(ThreatModel, st.just("l2"), st.floats(0, 30) | st.just(math.inf)),
)
seeds = st.integers(0, 2**32)


def pair(seed, dtype=torch.float64):
    """Clean images, some pixels exactly 0 or 1, and far points, also outside the pixel range."""
    generator = torch.Generator().manual_seed(seed)
    clean = (torch.rand(4, 2, 3, 3, generator=generator, dtype=dtype) * 2 - 0.5).clamp(0, 1)
    scale = 10 ** (3 * torch.rand(4, 1, 1, 1, generator=generator, dtype=dtype) - 2)
    return clean, clean + scale * torch.randn(4, 2, 3, 3, generator=generator, dtype=dtype)


def length(perturbation, norm):
    return np.linalg.norm(perturbation.flatten(1).numpy(), ord={"l2": 2, "linf": np.inf}[norm], axis=1)


@settings(max_examples=60, deadline=None)
@given(threats, seeds, st.sampled_from([torch.float32, torch.float64]))
def test_project_keeps_budget_and_range(threat, seed, dtype):
    clean, far = pair(seed, dtype)
    near = threat.project(far, clean)
    assert near.dtype == dtype
    assert near.min() >= 0
    assert near.max() <= 1
    assert (length(near - clean, threat.norm) <= threat.epsilon * (1 + 1e-6) + 1e-6).all()
    assert threat.contains(near, clean).all()


@settings(max_examples=60, deadline=None)
@given(threats, seeds)
def test_project_leaves_alone_what_is_inside(threat, seed):
    clean, far = pair(seed)
    near = threat.project(far, clean)
    torch.testing.assert_close(threat.project(near, clean), near, atol=1e-12, rtol=0)
    assert torch.equal(threat.project(clean, clean), clean)


@settings(max_examples=40, deadline=None)
@given(threats, seeds)
def test_project_is_no_farther_than_any_other_image_of_the_linf_or_unclipped_l2_model(threat, seed):
    clean, far = pair(seed)
    if threat.norm == "l2":  # the pixel range must not bind: two projections are then one
        clean, far = 0.5 + 0 * clean, 0.5 + (far - clean) / (4 * (far - clean).abs().amax())
    near = threat.project(far, clean)
    for other_seed in range(5):
        other = threat.project(pair(other_seed)[1], clean)
        assert (length(far - near, "l2") <= length(far - other, "l2") + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(threats, seeds)
def test_contains_agrees_with_numpy(threat, seed):
    clean, far = pair(seed)
    for candidate in (far, far.clamp(0, 1), threat.project(far, clean)):
        outside = (candidate.flatten(1).numpy() < 0) | (candidate.flatten(1).numpy() > 1)
        slack = 1e-6 * max(1.0, threat.epsilon)
        expected = ~outside.any(axis=1) & (length(candidate - clean, threat.norm) <= threat.epsilon + slack)
        np.testing.assert_array_equal(threat.contains(candidate, clean).numpy(), expected)


def test_l2_projection_shortens_along_the_radius():
    clean = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)
    far = clean + torch.tensor([0.3, 0.4, 0.0, 0.0], dtype=torch.float64).view(1, 1, 2, 2)
    near = ThreatModel("l2", 0.25).project(far, clean)
    torch.testing.assert_close(near.flatten().tolist(), [0.65, 0.7, 0.5, 0.5])


def test_linf_projection_clips_each_pixel():
    clean = torch.tensor([0.05, 0.5, 0.95, 0.5]).view(1, 1, 2, 2)
    far = torch.tensor([-1.0, 0.9, 2.0, 0.45]).view(1, 1, 2, 2)
    near = ThreatModel("linf", 0.1).project(far, clean)
    torch.testing.assert_close(near.flatten(), torch.tensor([0.0, 0.6, 1.0, 0.45]))


@pytest.mark.parametrize(("norm", "expected"), [("l2", 5.0), ("linf", 4.0)])
def test_distance_is_the_norm_over_all_channels_and_pixels(norm, expected):
    clean = torch.zeros(2, 2, 1, 1)
    moved = torch.tensor([[3.0, -4.0], [0.0, 0.0]]).view(2, 2, 1, 1)
    assert ThreatModel(norm, 1.0).distance(moved, clean).tolist() == [expected, 0.0]


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_contains_neither_nan_nor_what_is_just_outside(norm):
    clean = torch.full((1, 1, 2, 2), 0.5)
    moved = clean.clone()
    moved[0, 0, 0, 0] += 0.1
    assert ThreatModel(norm, 0.1).contains(moved, clean).all()
    assert not ThreatModel(norm, 0.0999).contains(moved, clean).any()
    for epsilon in (0.1, math.inf):
        assert not ThreatModel(norm, epsilon).contains(moved.fill_(torch.nan), clean).any()


def test_epsilon_0_projects_to_the_clean_image():
    clean, far = pair(1)
    for norm in ("l2", "linf"):
        assert torch.equal(ThreatModel(norm, 0.0).project(far, clean), clean)


@pytest.mark.parametrize(
    ("norm", "epsilon", "message"),
    [
        ("l2", -0.1, "epsilon must be 0 or above, got -0.1"),
        ("l2", math.nan, "epsilon must be 0 or above, got nan"),
        ("linf", 8.0, "epsilon must be at most 1 for linf, got 8; for 8 of 255 grey levels write 0.03137"),
    ],
)
def test_refuses_what_is_no_budget(norm, epsilon, message):
    with pytest.raises(InputError, match=message):
        ThreatModel(norm, epsilon)


def test_prints_norm_and_epsilon():
    assert str(ThreatModel("linf", 0.3)) == "linf 0.3"
    assert str(ThreatModel("l2", math.inf)) == "l2 inf"
