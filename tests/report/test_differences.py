"""Curves and tables by relative L2 difference, out of records whose numbers are known."""

from dataclasses import replace

import pytest
import torch
from scipy.stats import binomtest

from purifold.papers.difference import DifferenceFigure, DifferencePanel, DifferenceTable
from purifold.papers.exhibit import Curve, Panel
from purifold.report.differences import MEANINGS, against_l2, against_printed, at_difference
from purifold.report.exhibit_tables import listed


def wilson(kept):
    """SciPy's interval of so many of 100 images."""
    return tuple(binomtest(kept, 100).proportion_ci(method="wilson"))


def test_ours_is_linear_between_the_budgets_and_nothing_beyond(systems, kept):
    vae = kept[systems["vae"].name]
    assert at_difference(vae, "oblivious", "pgd", 0.05).value == pytest.approx(0.70)
    assert at_difference(vae, "oblivious", "pgd", 0.1).value == pytest.approx((0.70 + 0.02) / 2)
    assert at_difference(vae, "adaptive", "pgd", 0.025).value == pytest.approx((1 + 0.35) / 2)
    assert at_difference(vae, "oblivious", "pgd", 0.2) is None
    assert at_difference(vae, "oblivious", "fgsm", 0.05) is None


def test_its_bounds_are_wilson_s_at_a_budget_and_linear_between_two(systems, kept):
    vae = kept[systems["vae"].name]
    here, between = (at_difference(vae, "oblivious", "pgd", place) for place in (0.05, 0.1))
    assert (here.low, here.high) == pytest.approx(wilson(70))
    middle = [(first + second) / 2 for first, second in zip(wilson(70), wilson(2), strict=True)]
    assert (between.low, between.high) == pytest.approx(middle)


def test_a_section_is_a_defense_and_a_row_a_printed_difference(systems, kept, results):
    exhibit = DifferenceTable(
        name="t",
        caption="c",
        attack="pgd",
        systems={"none": systems["none"], "vae": systems["vae"]},
        printed={0.05: {"vae": 0.75}, 0.2: {"none": 0.1, "vae": 0.5}},
    )
    bare, vae = listed(exhibit, results(kept))
    assert (bare.title, vae.title) == ("none, 100 images", "vae, 100 images")
    assert bare.rows == [
        ["0.050", "", "20.0 [13.3, 28.9]", "", "20.0 [13.3, 28.9]", "20.0 [13.3, 28.9]"],
        ["0.200", "10.0", "", "", "", ""],
    ]
    assert vae.rows == [
        ["0.050", "75.0", "70.0 [60.4, 78.1]", "-5.0", "70.0 [60.4, 78.1]", "35.0 [26.4, 44.7]"],
        ["0.200", "50.0", "", "", "", ""],
    ]
    unreliable = {name: replace(found, checks=()) for name, found in kept.items()}
    assert against_printed(exhibit, unreliable)[0].title == "none, 100 images (unreliable)"


def test_ours_is_below_the_printed_number_where_its_interval_is(systems, kept):
    exhibit = DifferenceTable(
        name="t",
        caption="c",
        attack="pgd",
        systems={"vae": systems["vae"]},
        printed={0.05: {"vae": wilson(70)[1] - 1e-6}, 0.0501: {"vae": wilson(70)[1] + 1e-6}},
    )
    (table,) = against_printed(exhibit, kept)
    assert [row[3].partition(" ")[2] for row in table.rows] == ["", "below"]


def test_an_attacker_who_knows_and_needs_less_stands_with_what_he_leaves(systems, kept):
    name = systems["vae"].name
    near = [
        outcome
        for outcome in kept[name].outcomes
        if (outcome.knowledge, outcome.threat.epsilon) != ("adaptive", 0.3)
    ]
    exhibit = DifferenceTable(
        name="t", caption="c", attack="pgd", systems={"vae": systems["vae"]}, printed={0.1: {"vae": 0.5}}
    )
    (table,) = against_printed(exhibit, {name: replace(kept[name], outcomes=tuple(near))})
    ours = "36.0 [30.5, 42.6]"
    assert table.rows == [["0.100", "50.0", ours, "-14.0 below", ours, "35.0 [26.4, 44.7] at 0.050"]]


def test_the_printed_number_stands_beside_ours_counted_alike(systems, kept):
    name = systems["vae"].name
    half_wrong = torch.arange(100)[:, None] % 2  # of the clean images, whatever becomes of the attacked ones
    record = replace(
        kept[name], outcomes=tuple(replace(found, clean=half_wrong) for found in kept[name].outcomes)
    )
    exhibit = DifferenceTable(
        name="t", caption="c", attack="pgd", systems={"vae": systems["vae"]}, printed={0.05: {"vae": 0.75}}
    )
    (table,) = against_printed(exhibit, {name: record})
    _, printed, alike, apart, oblivious, adaptive = (cell.partition(" ")[0] for cell in table.rows[0])
    assert (printed, alike, apart, oblivious, adaptive) == ("75.0", "70.0", "-5.0", "35.0", "18.0")


def test_attackers_who_do_not_know_the_defense_stand_with_all_images_that_they_tried(systems, kept, record):
    name = systems["vae"].name
    more = record("vae", {("oblivious", 0.1): 90, ("oblivious", 0.3): 4}).outcomes
    wide = {name: replace(kept[name], data={"count": 40}, wide=more)}
    exhibit = DifferenceTable(
        name="t", caption="c", attack="pgd", systems={"vae": systems["vae"]}, printed={0.05: {}}
    )
    (table,) = against_printed(exhibit, wide)
    assert table.title == "vae, 100 images, 40 of them by attackers who know the defense"
    _, _, alike, _, oblivious, adaptive = (cell.partition(" ")[0] for cell in table.rows[0])
    assert (alike, oblivious, adaptive) == ("90.0", "90.0", "35.0")


def test_curves_are_solid_for_the_ignorant_attacker_and_dashed_for_the_one_who_knows(systems, kept):
    both = tuple(Curve(label=name, experiment=systems[name]) for name in ("none", "vae"))
    panel = Panel(title="digits", curves=both)
    panels = tuple(DifferencePanel(attack="pgd", panel=panel) for _ in range(2))
    drawn = against_l2(DifferenceFigure(name="f", caption="c", panels=panels, columns=1), kept)
    first, second = drawn.axes
    assert first.get_ylabel() == second.get_ylabel() == "accuracy"
    curves = first.lines
    *same, _, _ = second.lines  # the last two say in the legend what a style means
    lines = [(line.get_linestyle(), [round(value, 6) for value in line.get_ydata()]) for line in curves]
    assert lines == [
        ("-", [1.0, 0.2, 0.02]),
        ("--", [1.0, 0.2, 0.01]),
        ("-", [1.0, 0.7, 0.02]),
        ("--", [1.0, 0.35, 0.01]),
    ]
    assert list(first.lines[0].get_xdata()) == pytest.approx([0, 0.05, 0.15])
    colors = [[line.get_color() for line in lines] for lines in (curves, same)]
    assert str(colors[0]) == str(colors[1])
    legend = drawn.legends[0]
    said = {
        text.get_text(): handle.get_linestyle()
        for text, handle in zip(legend.texts, legend.legend_handles, strict=True)
    }
    assert said == {"none": "-", "vae": "-", MEANINGS["oblivious"]: "-", MEANINGS["adaptive"]: "--"}
