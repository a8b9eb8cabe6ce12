import pytest
import torch
from scipy import stats

from purifold.errors import InputError
from purifold.evaluation.intervals import Proportion, difference, paired_test, probably_more


def mask(*kept):
    return torch.tensor(kept, dtype=torch.bool)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_interval_matches_newcombes_published_examples(successes, trials, low, high):
    # Newcombe, 1998, Statistics in Medicine 17:857, table I, method 3
    assert Proportion(successes, trials).interval() == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("successes", [0, 1, 7, 39, 40])
def test_interval_is_scipys_wilson_interval(successes, confidence):
    expected = stats.binomtest(successes, 40).proportion_ci(confidence, method="wilson")
    found = Proportion(successes, 40).interval(confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_trials_leave_everything_open():
    nothing = Proportion(0, 0)
    assert nothing.interval() == (0.0, 1.0)
    assert nothing.value != nothing.value


def test_of_counts_the_mask():
    assert Proportion.of(mask(1, 0, 1, 1)) == Proportion(3, 4)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(InputError, match="successes must lie in"):
        Proportion(5, 4)


def test_paired_test_counts_images_that_only_one_defense_keeps():
    found = paired_test(mask(1, 1, 1, 0, 1, 0), mask(1, 0, 0, 1, 0, 0))
    assert (found.first_only, found.second_only) == (3, 1)
    # four discordant images, 3 to 1: P(X >= 3) + P(X <= 1) = 10/16 for X ~ B(4, 1/2)
    assert found.p_value == pytest.approx(10 / 16)


@pytest.mark.parametrize("first_only", range(8))
@pytest.mark.parametrize("second_only", [0, 3, 9])
def test_paired_test_is_scipys_exact_binomial_test(first_only, second_only):
    first = mask(*[1] * first_only, *[0] * second_only, 1, 0)
    second = mask(*[0] * first_only, *[1] * second_only, 1, 0)
    count = first_only + second_only
    expected = stats.binomtest(first_only, count).pvalue if count else 1.0
    assert paired_test(first, second).p_value == pytest.approx(expected, rel=1e-12)
    greater = float(stats.binomtest(first_only, count, alternative="greater").pvalue) if count else 1.0
    assert probably_more(first, second, level=greater * 1.001)
    assert not probably_more(first, second, level=greater * 0.999)


def test_paired_test_of_equal_defenses_finds_no_difference():
    assert paired_test(mask(1, 0), mask(1, 0)).p_value == 1.0


def test_paired_test_refuses_masks_of_different_images():
    with pytest.raises(InputError, match="same images"):
        paired_test(mask(1, 0), mask(1, 0, 1))


@pytest.mark.parametrize(("discordant", "more"), [(4, False), (5, True)])
def test_probably_more_needs_five_images_and_none_against(discordant, more):
    # one-sided P = 2 ** -discordant: 1/16 for four, 1/32 for five
    first, second = torch.ones(20, dtype=torch.bool), torch.ones(20, dtype=torch.bool)
    second[:discordant] = False
    assert probably_more(first, second) is more
    assert not probably_more(second, first)


def test_one_pair_of_systems_has_agresti_and_mins_interval_and_the_exact_sign_test():
    # 100 images: 50 kept by both, 20 by the first alone, 5 by the second alone
    first = mask(*[1] * 70, *[0] * 30)[:, None]
    second = mask(*[1] * 50, *[0] * 20, *[1] * 5, *[0] * 25)[:, None]
    found = difference(first, second)
    # Agresti and Min, 2005: with 0.5 added to each cell, n = 102, b = 20.5, c = 5.5
    centre = (20.5 - 5.5) / 102
    half = 1.959964 * ((20.5 + 5.5) - (20.5 - 5.5) ** 2 / 102) ** 0.5 / 102
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert (found.first, found.second, found.value) == pytest.approx((0.7, 0.55, 0.15))
    assert found.p_value == pytest.approx(stats.binomtest(20, 25).pvalue)


def test_an_image_counts_once_however_many_systems_agree_on_it():
    first, second = mask(1, 1, 1, 0)[:, None], mask(0, 0, 0, 0)[:, None]
    once = difference(first, second)
    tenfold = difference(first.expand(4, 10), second.expand(4, 10))
    assert tenfold == once
    assert once.p_value == pytest.approx(0.25)


def test_equal_systems_on_few_images_are_not_taken_for_proof():
    same = mask(1, 1, 0)[:, None]
    found = difference(same, same)
    assert found.p_value == 1.0
    assert found.low < -0.3 < 0.3 < found.high


def test_difference_refuses_what_is_not_paired():
    with pytest.raises(InputError, match="as many systems"):
        difference(mask(1, 0)[:, None], mask(1, 0)[:, None].expand(2, 3))
