import numpy as np
import pytest
import torch
from scipy import stats

from purifold.randomness import ImageNoise, seeded

# the first outputs of Vigna's splitmix64.c (https://prng.di.unimi.it/splitmix64.c) from these states
REFERENCE = {
    1234567: (
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ),
    0: (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F),
}


def pictures(count=200, seed=0):
    return torch.rand(count, 1, 3, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("state", REFERENCE)
def test_bits_are_splitmix64(state):
    expected = REFERENCE[state]
    bits = ImageNoise(lambda: torch.tensor([state]))._bits(len(expected))[0]
    assert [int(value) % 2**64 for value in bits] == list(expected)


def test_uniform_takes_the_24_highest_bits():
    numbers = ImageNoise(lambda: torch.tensor([1234567])).uniform(5)[0].double().tolist()
    assert numbers == [(value >> 40) / 2**24 for value in REFERENCE[1234567]]


def test_uniform_is_uniform_within_an_image_across_images_and_from_draw_to_draw():
    noise = ImageNoise.of(pictures(), seed=0)
    first, second = noise.uniform(10, 10), noise.uniform(10, 10)
    assert first.min() >= 0
    assert first.max() < 1
    for sample in (first[0], first[:, 3, 3], first, second):
        assert stats.kstest(sample.flatten().numpy(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first.flatten().numpy(), second.flatten().numpy())[0, 1]) < 0.03
    assert abs(np.corrcoef(first[:-1].flatten().numpy(), first[1:].flatten().numpy())[0, 1]) < 0.03


def test_normal_has_the_moments_and_the_law_of_a_normal():
    sample = ImageNoise.of(pictures(), seed=3).normal(20, 20).double().flatten()
    assert sample.isfinite().all()
    assert stats.kstest(sample.numpy(), "norm").pvalue > 1e-3
    moments = [float((sample**power).mean()) for power in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.1)


def test_integers_hit_every_value_alike():
    sample = ImageNoise.of(pictures(), seed=1).integers(7, 50)
    assert sample.dtype == torch.int64
    assert stats.chisquare(np.bincount(sample.flatten().numpy(), minlength=7)).pvalue > 1e-3
    assert sample.max() == 6


def test_an_images_noise_is_its_own_whatever_its_batch():
    images = pictures(10)
    whole = ImageNoise.of(images, seed=5)
    drawn = [whole.uniform(4), whole.normal(2, 3), whole.integers(9, 5)]
    order = torch.tensor([7, 2, 2])
    some = ImageNoise.of(images[order], seed=5)
    for numbers, again in zip(drawn, (some.uniform(4), some.normal(2, 3), some.integers(9, 5)), strict=True):
        assert torch.equal(numbers[order], again)


def test_selected_rows_go_on_where_the_whole_stands():
    images, rows = pictures(10), torch.tensor([8, 1])
    whole = ImageNoise.of(images, seed=5)
    whole.uniform(6)
    part = whole.select(rows)
    assert torch.equal(whole.uniform(3)[rows], part.uniform(3))


def test_seed_place_and_content_each_change_the_noise():
    images = pictures(4)
    numbers = [ImageNoise.of(images, seed).uniform(8) for seed in (0, 1, 2**40)]
    assert not torch.equal(numbers[0], numbers[1])
    assert not torch.equal(numbers[0], numbers[2])
    moved = ImageNoise.of(images.flip(3), 0).uniform(8)
    assert not torch.equal(numbers[0], moved)
    nudged = images.clone()
    nudged[0, 0, 0, 0] += 1 / 255
    changed = (ImageNoise.of(nudged, 0).uniform(8) != numbers[0]).any(dim=1)
    assert changed.tolist() == [True, False, False, False]


def test_image_noise_leaves_the_callers_generator_alone():
    state = torch.get_rng_state()
    ImageNoise.of(pictures(), 0).normal(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_seeded_repeats_and_gives_the_generator_back():
    torch.manual_seed(11)
    expected = torch.rand(4)
    torch.manual_seed(11)
    with seeded(5):
        inside = torch.rand(2)
    assert torch.equal(torch.rand(4), expected)
    with seeded(5):
        assert torch.equal(torch.rand(2), inside)


def test_seeded_gives_the_generator_back_after_an_error():
    def fail():
        with seeded(5):
            torch.rand(1)
            raise KeyError

    state = torch.get_rng_state()
    with pytest.raises(KeyError):
        fail()
    assert torch.equal(torch.get_rng_state(), state)
