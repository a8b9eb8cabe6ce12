"""Descent on a penalty: the minimum of a quadratic, the nearest success, and nothing past the pixel range."""

import pytest
import torch

from purifold.attacks.descent import Descent
from purifold.errors import InputError

GOAL = 0.8


def quadratic(images):
    return 3 * (images - GOAL).square().flatten(1).sum(dim=1)


def never(images):
    return torch.zeros(len(images), dtype=torch.bool)


@pytest.fixture
def start():
    return torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(0))


def test_without_a_success_the_last_iterate_is_the_minimum(start):
    images, found = Descent(steps=600, nearness=1.0)(quadratic, never, start)
    torch.testing.assert_close(images, (3 * GOAL + start) / 4, rtol=0, atol=2e-3)
    assert not found.any()
    anywhere, _ = Descent(steps=600, nearness=0.0)(quadratic, never, start)
    torch.testing.assert_close(anywhere, torch.full_like(start, GOAL), rtol=0, atol=2e-3)


def test_the_success_nearest_to_the_start_is_kept(start):
    seen = []

    def bright(images):
        reached = images.flatten(1).mean(dim=1) > 0.6
        seen.append((images, reached))
        return reached

    images, found = Descent(steps=80, nearness=0.0)(quadratic, bright, start)
    assert len(seen) == 81
    for row, image in enumerate(images):
        reached = [tried[row] for tried, success in seen if success[row]]
        assert found[row] == bool(reached)
        distances = [float((tried - start[row]).square().sum()) for tried in reached]
        torch.testing.assert_close(float((image - start[row]).square().sum()), min(distances))


def test_pixels_stay_in_range(start):
    images, _ = Descent(steps=100, rate=0.5, nearness=0.0)(lambda images: -quadratic(images), never, start)
    assert ((images == 0) | (images == 1)).all()


def test_the_first_iterate_is_the_start(start):
    images, found = Descent(steps=3)(quadratic, lambda images: ~never(images), start)
    assert torch.equal(images, start)
    assert found.all()


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"rate": 1.0}, {"nearness": -1.0}])
def test_bad_settings_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Descent(**wrong)
