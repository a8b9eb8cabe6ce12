"""Claims: what holds, what does not and what stays open, out of outcomes that are known."""

import itertools
from dataclasses import replace

import pytest

from purifold.engine.steps.codes import Codes
from purifold.papers.claim import Claim, Contrast, Ratio
from purifold.report.claims import judged, markdown


@pytest.fixture(scope="module")
def systems(composed):
    return composed(defenses=("ae", "vae"), attacks=("pgd",), epsilons=(0.1, 0.3))


@pytest.fixture
def surviving(systems, record, results):
    """Makes results with so many survivors of both systems at both budgets, of 100 images."""

    def make(first, second, sizes=(1.0, 1.0), quantity="diameter"):
        kept = {
            experiment.name: record(
                experiment.system.defense, {("adaptive", 0.1): count, ("adaptive", 0.3): count}
            )
            for experiment, count in zip(systems, (first, second), strict=True)
        }
        codes = [Codes(autoencoder=experiment.system.autoencoders[0]).label for experiment in systems]
        other = {"diameter": -1.0, "active units": -1.0}
        measured = {label: other | {quantity: size} for label, size in zip(codes, sizes, strict=True)}
        return results(kept, extents=measured)

    return make


def claim(systems, expected):
    first, second = systems
    contrast = Contrast(
        where="AE against VAE", first=(first,), second=(second,), expected=expected, epsilons=(0.1, 0.3)
    )
    return Claim(text="It helps.", protocol="pgd", evidence=(contrast,))


@pytest.mark.parametrize(
    ("expected", "first", "second", "verdict"),
    [
        ("more", 60, 40, "holds"),
        ("more", 40, 60, "does not hold"),
        ("more", 52, 50, "undecided"),
        ("more", 50, 50, "does not hold"),  # the whole interval lies below five points
        ("fewer", 40, 60, "holds"),
        ("fewer", 60, 40, "does not hold"),
        ("not fewer", 50, 50, "holds"),
        ("not fewer", 60, 40, "holds"),
        ("not fewer", 40, 60, "does not hold"),
        ("not fewer", 48, 50, "undecided"),
        ("no more", 40, 60, "holds"),
        ("no more", 60, 40, "does not hold"),
    ],
)
def test_a_comparison_decides_as_its_numbers_say(systems, surviving, expected, first, second, verdict):
    found = judged(claim(systems, expected), surviving(first, second))
    assert found.verdicts == {"pgd": verdict, "worst case": verdict}
    assert f"{first}.0 % against {second}.0 %" in found.findings[0].numbers


@pytest.mark.parametrize("quantity", ["diameter", "active units"])
@pytest.mark.parametrize(
    ("ratio", "verdict"), [(3.0, "holds"), (1.9, "does not hold"), (4.6, "does not hold")]
)
def test_sets_of_codes_are_compared_by_their_ratio(systems, surviving, quantity, ratio, verdict):
    first, second = (Codes(autoencoder=experiment.system.autoencoders[0]) for experiment in systems)
    evidence = Ratio(where="AE over VAE", quantity=quantity, first=first, second=second, least=2.0, most=4.5)
    found = judged(
        Claim(text="Three times.", protocol="pgd", evidence=(evidence,)),
        surviving(1, 1, (2 * ratio, 2.0), quantity),
    )
    assert found.verdicts == {"": verdict}
    assert found.findings[0].numbers.startswith(f"{quantity} {2 * ratio:.3g} / 2 = {ratio:.2f}")


def test_a_claim_holds_only_where_all_its_comparisons_do(systems, surviving):
    holds, open_, fails = (
        claim(systems, "more").evidence[0],
        claim(systems, "not fewer").evidence[0],
        claim(systems, "fewer").evidence[0],
    )
    found = surviving(60, 40)
    for evidence in itertools.permutations((holds, open_)):
        assert judged(Claim(text="", protocol="pgd", evidence=evidence), found).verdicts["pgd"] == "holds"
    both = Claim(text="", protocol="pgd", evidence=(holds, fails))
    assert judged(both, found).verdicts["pgd"] == "does not hold"


def test_the_correction_is_holms(systems, surviving):
    # 58 against 50: sign test of 8 images, p = 1/128; with two other, useless comparisons p = 3/128, ...
    useful = claim(systems, "more").evidence[0]
    found = surviving(58, 50)
    alone = judged(Claim(text="", protocol="pgd", evidence=(useful,)), found)
    assert "p = 0.0078" in alone.findings[0].numbers
    three = judged(Claim(text="", protocol="pgd", evidence=(useful, useful, useful)), found)
    assert "p = 0.023" in three.findings[0].numbers


def test_without_anything_to_compare_a_claim_says_so(systems, surviving):
    found = judged(Claim(text="On MNIST.", protocol="pgd", evidence=()), surviving(1, 1))
    assert "nothing to compare at this scale" in markdown([found])


def test_the_worst_case_takes_every_attack_and_the_paper_s_attack_only_itself(systems, surviving):
    weak, strong = (surviving(*kept) for kept in ((60, 40), (10, 10)))
    for experiment in systems:
        made = weak.records[experiment.name]
        both = [
            replace(outcome, attacked={**outcome.attacked, "fgsm": other.attacked["pgd"]})
            for outcome, other in zip(made.outcomes, strong.records[experiment.name].outcomes, strict=True)
        ]
        weak.records[experiment.name] = replace(made, outcomes=tuple(both))
    found = judged(claim(systems, "more"), weak)
    assert found.verdicts == {"pgd": "holds", "worst case": "does not hold"}
    assert "10.0 % against 10.0 %" in found.findings[1].numbers
