"""Claims: systems go in pairs, and a ratio can hold."""

import math

import pytest

from purifold.engine.steps.codes import Codes
from purifold.errors import InputError
from purifold.papers.claim import Contrast, Ratio


@pytest.fixture(scope="module")
def systems(composed):
    return tuple(composed(defenses=("none", "vae"), attacks=("fgsm",), epsilons=(0.1,)))


@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, 1), (1, 2)])
def test_a_system_without_a_partner_is_refused(systems, first, second):
    said = {"where": "digits", "expected": "more", "epsilons": ()}
    with pytest.raises(InputError, match=f"as many systems, got {first} and {second}"):
        Contrast(first=systems[:first], second=systems[:second], **said)
    assert Contrast(first=systems[:1], second=systems[1:], **said).expected == "more"


def test_a_ratio_that_no_number_meets_is_refused(systems):
    codes = Codes(autoencoder=systems[1].system.autoencoders[0])
    said = {"where": "digits", "quantity": "diameter", "first": codes, "second": codes}
    for least, most in ((1.0, 0.5), (math.nan, 1.0)):
        with pytest.raises(InputError, match="least must be at most"):
            Ratio(least=least, most=most, **said)
    assert Ratio(least=1.0, most=1.0, **said).least == 1
