"""Reading options out of text."""

import math
from typing import Literal

import pytest

from purifold.errors import InputError
from purifold.options import Option, as_json, supported


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (int, "75", 75),
        (int, 75, 75),
        (float, "0.1", 0.1),
        (float, "1", 1.0),
        (float, 1, 1.0),
        (float, "inf", math.inf),
        (float, "1e-3", 0.001),
        (bool, "true", True),
        (bool, "False", False),
        (bool, True, True),
        (str, "mlp", "mlp"),
        (Literal[1, 2], "2", 2),
        (Literal[1, 2], 2, 2),
        (Literal["mse", "bce"], "bce", "bce"),
    ],
)
def test_text_and_values_are_read_in_the_option_s_own_type(kind, given, expected):
    found = Option("size", kind, None).read(given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (int, "7.5"),
        (int, 7.5),
        (int, True),
        (int, ""),
        (float, "much"),
        (float, "nan"),
        (float, math.nan),
        (float, True),
        (bool, "1"),
        (bool, 1),
        (str, 3),
        (Literal[1, 2], "x"),
    ],
)
def test_what_loses_something_on_the_way_is_refused(kind, given):
    with pytest.raises(InputError, match="option size must be"):
        Option("size", kind, None).read(given)


def test_a_value_that_is_no_choice_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"unknown value of option order: '3'; .*there are: 1, 2"):
        Option("order", Literal[1, 2], 1).read("3")


def test_an_option_is_printed_with_its_type_and_default():
    assert str(Option("quality", int, 23)) == "quality=<int> [23]"
    assert str(Option("latent", int, None)) == "latent=<int>"
    assert str(Option("order", Literal[1, 2], 2)) == "order=<1|2> [2]"


def test_only_single_values_can_be_options():
    assert all(supported(kind) for kind in (bool, int, float, str, Literal["a", "b"]))
    assert not any(supported(kind) for kind in (list, tuple[int, int], dict[str, int], None))


def test_infinity_has_a_text_in_json():
    assert as_json(math.inf) == "inf"
    assert as_json(1.5) == 1.5
    assert as_json("inf") == "inf"
