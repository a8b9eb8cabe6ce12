import pytest

from purifold.errors import Failure, InputError, unknown


@pytest.mark.parametrize(("name", "near"), [("mnst", "mnist"), ("cifar10", "cifar-10"), ("digit", "digits")])
def test_unknown_name_comes_with_the_nearest_one_and_all_of_them_sorted(name, near):
    error = unknown("data set", name, ["mnist", "digits", "cifar-10"])
    assert str(error) == (
        f"unknown data set {name!r}; did you mean {near!r}? there are: cifar-10, digits, mnist"
    )


def test_unknown_name_far_from_all_gets_no_guess():
    assert str(unknown("attack", "zzz", ["pgd", "fgsm"])) == "unknown attack 'zzz'; there are: fgsm, pgd"
    assert str(unknown("attack", "pgd", [])) == "unknown attack 'pgd'; there are: none"


def test_the_callers_mistakes_and_failures_are_told_apart():
    assert isinstance(unknown("attack", "zzz", []), InputError)
    assert issubclass(InputError, ValueError)
    assert issubclass(Failure, RuntimeError)
    assert not issubclass(InputError, Failure)
