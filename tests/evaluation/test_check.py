"""Verdicts: tolerances as counts, and what makes an evaluation unreliable."""

import pytest

from purifold.errors import Failure, InputError
from purifold.evaluation.check import Check, at_most, check, most, unreliable
from purifold.evaluation.intervals import Proportion


def test_tolerances_are_the_counts_whose_wilson_interval_reaches_the_share():
    # Wilson's lower bounds: 0.86 % and 1.6 % at 2 and 3 of 64, 49 % and 60 % at 8 and 9 of 10
    assert most(0.01, 64) == 2
    assert most(0.5, 10) == 8


def test_an_evaluation_is_unreliable_when_a_check_failed_or_none_ran():
    passed, failed, open_ = (Check("a", verdict, "", "", "") for verdict in (True, False, None))
    assert not unreliable([passed, open_])
    assert unreliable([passed, failed])
    assert unreliable([])


@pytest.mark.parametrize(("error", "caught"), [(InputError, True), (Failure, True), (KeyError, False)])
def test_a_check_that_breaks_off_with_an_error_of_ours_has_failed_and_says_how(error, caught):
    @check("a name", why="a reason")
    def broken():
        raise error("no gradient")

    if caught:
        assert broken() == Check("a name", False, "broke off: no gradient", "a measurement", "a reason")
    else:
        with pytest.raises(KeyError):
            broken()


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("trials", [1, 10, 64, 1_000])
def test_at_most_turns_where_most_says(trials, share):
    limit = most(share, trials)
    passing = [count for count in range(trials + 1) if at_most(Proportion(count, trials), share)]
    assert passing == list(range(limit + 1))
    assert limit >= int(share * trials)
