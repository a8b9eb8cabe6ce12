"""What holds for every purifier and detector; a new file is tested without being listed."""

from copy import deepcopy

import pytest
import torch

from purifold.defenses.base import Detector, Purifier
from purifold.discovery import classes
from purifold.errors import InputError
from purifold.randomness import drawn_apart, seeded

PURIFIERS, DETECTORS = classes(Purifier), classes(Detector)
SIZE = 12

purifiers = pytest.mark.parametrize("name", sorted(PURIFIERS))
detectors = pytest.mark.parametrize("name", sorted(DETECTORS))
channels = pytest.mark.parametrize("channel_count", [1, 3])


def photos(count, channel_count, dtype=torch.float32):
    generator = torch.Generator().manual_seed(count)
    return torch.rand(count, channel_count, SIZE, SIZE, generator=generator, dtype=dtype)


def example(kinds, name, channel_count, dtype=torch.float32):
    with seeded(0):
        return kinds[name].example(channel_count, SIZE).to(dtype).eval()


def drawn(module, images, seed=0):
    with seeded(seed):
        return module(images)


def slope(function, images, direction, step=1e-6):
    """Directional derivative of a function of images with one score an image, by central differences."""
    return (function(images + step * direction) - function(images - step * direction)) / (2 * step)


def check_gradient(function, images):
    """The gradient of per-image scores agrees with finite differences along a random direction."""
    direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=images.dtype)
    inputs = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(inputs).sum(), inputs)
    analytic = (gradient * direction).flatten(1).sum(dim=1)
    numeric = slope(lambda inputs: function(inputs).detach(), images, direction)
    assert gradient.flatten(1).abs().amax(dim=1).min() > 0
    assert torch.allclose(analytic, numeric, rtol=1e-4, atol=1e-8)


def weighed(purify):
    """One score an image that weighs its pixels unequally, so that no gradient cancels."""

    def score(images):
        purified = purify(images)
        weights = torch.linspace(-1, 1, purified[0].numel(), dtype=images.dtype) ** 3
        return purified.flatten(1) @ weights

    return score


@purifiers
@channels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_purifier_keeps_shape_range_dtype_and_device(name, channel_count, dtype, count):
    images = photos(count, channel_count, dtype)
    purifier = example(PURIFIERS, name, channel_count, dtype)
    for purified in (purifier(images), purifier.surrogate(images)):
        assert purified.shape == images.shape
        assert (purified.dtype, purified.device) == (images.dtype, images.device)
        assert ((purified >= 0) & (purified <= 1)).all()


@purifiers
def test_black_and_white_images_stay_in_the_range(name):
    images = torch.stack([torch.zeros(1, SIZE, SIZE), torch.ones(1, SIZE, SIZE)])
    purified = example(PURIFIERS, name, 1)(images)
    assert ((purified >= 0) & (purified <= 1)).all()


@purifiers
@channels
def test_two_draws_differ_exactly_where_a_purifier_says_it_is_stochastic(name, channel_count):
    images = photos(4, channel_count)
    purifier = example(PURIFIERS, name, channel_count)
    first, second = drawn(purifier, images, seed=1), drawn(purifier, images, seed=2)
    differs = (first != second).flatten(1).any(dim=1)
    assert differs.all() if purifier.stochastic else not differs.any()
    assert torch.equal(first, drawn(purifier, images, seed=1))
    before = torch.get_rng_state()
    with drawn_apart(1, "cpu"):
        assert torch.equal(first, purifier(images))
    assert torch.equal(torch.get_rng_state(), before)


@purifiers
@channels
def test_what_is_settled_draws_nothing_and_a_draw_from_it_is_forward_with_its_gradient(name, channel_count):
    purifier = example(PURIFIERS, name, channel_count, torch.float64)
    images = photos(4, channel_count, torch.float64).requires_grad_()
    before = torch.get_rng_state()
    settled = purifier.settled(images)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(settled) == 4
    both = [drawn(purifier, images), drawn(purifier.drawn, settled)]
    torch.testing.assert_close(both[1], both[0])
    if purifier.differentiable:
        slopes = [torch.autograd.grad(weighed(lambda kept: kept)(made).sum(), images)[0] for made in both]
        torch.testing.assert_close(slopes[1], slopes[0])


@purifiers
@channels
def test_the_surrogate_draws_nothing_and_has_a_gradient_on_every_image(name, channel_count):
    images = photos(4, channel_count).requires_grad_()
    purifier = example(PURIFIERS, name, channel_count)
    before = torch.get_rng_state()
    surrogate = purifier.surrogate(images)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(surrogate, purifier.surrogate(images))
    (gradient,) = torch.autograd.grad(surrogate.sum(), images)
    assert gradient.isfinite().all()
    assert gradient.flatten(1).abs().amax(dim=1).min() > 0


@purifiers
@channels
def test_the_surrogate_s_gradient_agrees_with_finite_differences(name, channel_count):
    purifier = example(PURIFIERS, name, channel_count, torch.float64)
    check_gradient(weighed(purifier.surrogate), photos(4, channel_count, torch.float64))


@purifiers
@channels
def test_forward_has_its_true_gradient_exactly_where_a_purifier_says_so(name, channel_count):
    purifier = example(PURIFIERS, name, channel_count, torch.float64)
    images = photos(4, channel_count, torch.float64)
    if purifier.differentiable:
        check_gradient(weighed(lambda inputs: drawn(purifier, inputs)), images)
    else:
        assert not purifier(images.requires_grad_()).requires_grad


@purifiers
@channels
def test_an_image_alone_is_purified_as_in_its_batch(name, channel_count):
    images = photos(6, channel_count)
    purifier = example(PURIFIERS, name, channel_count)
    purify = purifier.surrogate if purifier.stochastic else purifier
    alone = torch.cat([purify(image[None]) for image in images])
    assert torch.allclose(purify(images), alone, atol=1e-6, rtol=0)


@purifiers
def test_purifying_changes_neither_the_images_nor_the_purifier(name):
    images = photos(4, 1)
    kept = images.clone()
    purifier = example(PURIFIERS, name, 1)
    state = deepcopy(purifier.state_dict())
    purifier(images)
    purifier.surrogate(images)
    assert torch.equal(images, kept)
    assert all(torch.equal(state[key], value) for key, value in purifier.state_dict().items())
    assert not any(part.training for part in purifier.modules())
    assert all(weight.grad is None for weight in purifier.parameters())


@detectors
@channels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_detector_gives_one_finite_score_an_image_alone_as_in_its_batch(name, channel_count, dtype):
    images = photos(6, channel_count, dtype)
    detector = example(DETECTORS, name, channel_count, dtype)
    scores = detector(images)
    assert scores.shape == (6,)
    assert (scores.dtype, scores.device) == (images.dtype, images.device)
    assert scores.isfinite().all()
    assert torch.allclose(scores, torch.cat([detector(image[None]) for image in images]), atol=1e-6, rtol=0)
    assert detector(images[:0]).shape == (0,)


@detectors
def test_a_detector_draws_nothing(name):
    images = photos(4, 1)
    detector = example(DETECTORS, name, 1)
    before = torch.get_rng_state()
    assert torch.equal(detector(images), detector(images))
    assert torch.equal(torch.get_rng_state(), before)


@detectors
@channels
def test_a_detector_s_gradient_agrees_with_finite_differences(name, channel_count):
    detector = example(DETECTORS, name, channel_count, torch.float64)
    check_gradient(detector, photos(4, channel_count, torch.float64))


@detectors
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
def test_a_calibrated_detector_rejects_the_stated_share_of_clean_images(name, rate):
    clean = photos(100, 1)
    detector = example(DETECTORS, name, 1)
    state = {key: value.clone() for key, value in detector.state_dict().items() if key != "threshold"}
    detector.calibrate(clean, rate)
    assert int((~detector.accepts(clean)).sum()) == round(100 * rate)
    assert all(torch.equal(value, detector.state_dict()[key]) for key, value in state.items())
    with pytest.raises(InputError, match="cannot resolve"):
        detector.calibrate(clean[: round(1 / rate) - 1], rate)


@detectors
def test_a_detector_s_threshold_travels_in_its_state(name):
    detector, restored = example(DETECTORS, name, 1), example(DETECTORS, name, 1)
    detector.calibrate(photos(50, 1), 0.1)
    restored.load_state_dict(detector.state_dict())
    assert torch.equal(restored.accepts(photos(50, 1)), detector.accepts(photos(50, 1)))


@detectors
def test_a_detector_is_not_calibrated_in_training_mode(name):
    with pytest.raises(InputError, match="detector is in training mode"):
        example(DETECTORS, name, 1).train().calibrate(photos(50, 1), 0.1)
