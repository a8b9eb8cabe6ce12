"""Figure 4 of `puvae`: what a row is called is how its autoencoder was trained."""

import re

import pytest

from purifold.engine.scale import SCALES, SLOWER
from purifold.engine.step import Resources
from purifold.papers.puvae_branches import READINGS, SHORTER, branches_figure


@pytest.fixture(scope="module")
def figure(cell):
    return branches_figure(cell, SCALES["smoke"], Resources(), 3)


def test_the_numbers_before_a_colon_are_the_weights_of_its_losses():
    told = {name: re.match(r"([\d.]+), ([\d.]+), ([\d.]+):", name) for name in READINGS}
    for name, spec in READINGS.items():
        weights = (spec.rc_weight, spec.kl_weight, spec.ce_weight)
        assert told[name] is None or tuple(map(float, told[name].groups())) == weights
    assert sum(found is not None for found in told.values()) == len(READINGS) - 1  # "the same, ..."


@pytest.mark.parametrize(
    ("words", "pixels", "units"),
    [
        ("sum of pixels, mean of units", "sum", "mean"),
        ("sums", "sum", "sum"),
        ("both means", "mean", "mean"),
    ],
)
def test_the_words_behind_it_are_its_reductions(words, pixels, units):
    found = {(spec.pixels, spec.units) for name, spec in READINGS.items() if words in name}
    assert found == {(pixels, units)}


def test_a_row_is_trained_as_its_reading_says_on_fewer_images_with_the_same_seed(figure):
    assert [name for name, _ in figure.rows] == list(READINGS)
    for (_, row), spec in zip(figure.rows, READINGS.values(), strict=True):
        (training,) = row.system.autoencoders
        assert (training.spec, training.seed, row.seed) == (spec, 3, 3)
        assert training.config.epochs == SLOWER * round(SCALES["smoke"].encoded / SHORTER / training.images)
        assert training.source.seed == 3 + 2


def test_all_rows_show_the_same_attacked_images_and_each_is_attacked_by_who_knows_it(figure):
    rows = [row for _, row in figure.rows]
    assert len({row.craft for row in rows}) == 1
    assert len({row.known for row in rows}) == len(rows)
    for row in rows:
        assert row.craft.system.defense == "none"
        assert row.known.system == row.system.still
        assert (row.craft.attack, row.craft.threat) == (row.known.attack, row.known.threat)
        assert row.craft.attack.targeted
