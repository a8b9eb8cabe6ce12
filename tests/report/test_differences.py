"""Curves and tables by relative L2 difference, out of records whose numbers are known."""

from dataclasses import replace

import pytest

from purifold.engine.compose import Question, compose
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.papers.difference import DifferenceFigure, DifferencePanel, DifferenceTable, FilterTable
from purifold.papers.exhibit import Curve, Panel
from purifold.report.differences import against_l2, against_printed, at_difference
from purifold.report.exhibit_tables import listed
from purifold.report.filtering import compared, paragraph
from purifold.report.results import Results

TINY = Scale(
    name="smoke", images=9, seen=1_100, encoded=2_200, epochs=1, draws=2, eot=2, audit=4, played=1_000
)
DEFENSES = ("none", "smoothing:size=3", "vae", "vae:beta=0.5")


@pytest.fixture(scope="module")
def systems():
    question = Question(data="digits", defenses=DEFENSES, attacks=("pgd",), epsilons=(0.1, 0.3))
    return dict(zip(("none", "filter", "vae", "bare vae"), compose(question, TINY, Resources()), strict=True))


@pytest.fixture
def records(systems, record):
    """Of 100 images at 0.1, at a relative L2 difference of 0.05: oblivious, adaptive; at 0.3 few are left."""
    kept = {"none": (20, 20), "filter": (50, 15), "vae": (70, 35), "bare vae": (60, 5)}
    return {
        systems[name].name: record(
            name,
            {
                ("oblivious", 0.1): first,
                ("oblivious", 0.3): 2,
                ("adaptive", 0.1): second,
                ("adaptive", 0.3): 1,
            },
        )
        for name, (first, second) in kept.items()
    }


def test_ours_is_linear_between_the_budgets_and_nothing_beyond(systems, records):
    vae = records[systems["vae"].name]
    assert at_difference(vae, "oblivious", "pgd", 0.05) == pytest.approx(0.70)
    assert at_difference(vae, "oblivious", "pgd", 0.1) == pytest.approx((0.70 + 0.02) / 2)
    assert at_difference(vae, "adaptive", "pgd", 0.025) == pytest.approx((1 + 0.35) / 2)
    assert at_difference(vae, "oblivious", "pgd", 0.2) is None
    assert at_difference(vae, "oblivious", "fgsm", 0.05) is None


def test_a_section_is_a_defense_and_a_row_a_printed_difference(systems, records):
    exhibit = DifferenceTable(
        name="t",
        caption="c",
        attack="pgd",
        systems={"none": systems["none"], "vae": systems["vae"]},
        printed={0.05: {"vae": 0.8}, 0.2: {"none": 0.1, "vae": 0.5}},
    )
    results = Results(records=records, galleries={}, trainings={}, measurements={}, extents={})
    bare, vae = listed(exhibit, results)
    assert (bare.title, vae.title) == ("none, 100 images", "vae, 100 images")
    assert bare.rows == [["0.050", "", "20.0", "", "20.0"], ["0.200", "10.0", "", "", ""]]
    assert vae.rows == [["0.050", "80.0", "70.0", "-10.0", "35.0"], ["0.200", "50.0", "", "", ""]]
    unreliable = {name: replace(found, checks=()) for name, found in records.items()}
    assert against_printed(exhibit, unreliable)[0].title == "none, 100 images (unreliable)"


def test_an_attacker_who_knows_and_needs_less_stands_with_what_he_leaves(systems, records):
    name = systems["vae"].name
    near = [
        outcome
        for outcome in records[name].outcomes
        if (outcome.knowledge, outcome.threat.epsilon) != ("adaptive", 0.3)
    ]
    exhibit = DifferenceTable(
        name="t", caption="c", attack="pgd", systems={"vae": systems["vae"]}, printed={0.1: {"vae": 0.5}}
    )
    (table,) = against_printed(exhibit, {name: replace(records[name], outcomes=tuple(near))})
    assert table.rows == [["0.100", "50.0", "36.0", "-14.0", "35.0 at 0.050"]]


def test_curves_are_solid_for_the_ignorant_attacker_and_dashed_for_the_one_who_knows(systems, records):
    curves = tuple(Curve(label=name, experiment=systems[name]) for name in ("none", "vae"))
    panel = Panel(title="digits", curves=curves)
    figure = DifferenceFigure(
        name="f", caption="c", panels=tuple(DifferencePanel(attack="pgd", panel=panel) for _ in range(2))
    )
    first, second = against_l2(figure, records).axes
    lines = [(line.get_linestyle(), [round(value, 6) for value in line.get_ydata()]) for line in first.lines]
    assert lines == [
        ("-", [1.0, 0.2, 0.02]),
        ("--", [1.0, 0.2, 0.01]),
        ("-", [1.0, 0.7, 0.02]),
        ("--", [1.0, 0.35, 0.01]),
    ]
    assert list(first.lines[0].get_xdata()) == pytest.approx([0, 0.05, 0.15])
    colors = [[line.get_color() for line in axes.lines] for axes in (first, second)]
    assert str(colors[0]) == str(colors[1])


def filter_table(systems, unfiltered):
    return FilterTable(
        name="filter",
        caption="c",
        attack="pgd",
        epsilon=0.1,
        bare=systems["none"],
        alone=systems["filter"],
        systems={name: systems[name] for name in ("bare vae", "vae")},
        unfiltered=unfiltered,
    )


def test_the_paragraph_says_the_filter_s_part_and_what_an_attacker_leaves(systems, records):
    text = paragraph(filter_table(systems, ("vae", "bare vae")), records)
    assert "the classifier alone keeps 20.0 % of the images, the filter alone 50.0 % and the best VAE" in text
    assert "the best VAE, vae, 70.0 %" in text
    assert "the filter on its own gains +30.0 points, the VAE +50.0." in text
    assert "Without its filter vae keeps 60.0 % instead of 70.0 %" in text
    assert "the filter is worth +10.0 points" in text
    assert "classifier alone keeps 20.0 %, the filter 15.0 % and vae 35.0 %, which is more than" in text
    assert "p = 6.1e-05" in text  # 15 images to none: 2 / 2^15


@pytest.mark.parametrize(
    ("vae", "bare", "said"),
    [(5, 20, "less than"), (20, 20, "not measurably more or less than"), (35, 20, "more than")],
)
def test_the_paragraph_says_which_way_a_difference_goes(systems, records, record, vae, bare, said):
    for name, kept in (("vae", vae), ("none", bare)):
        records[systems[name].name] = record(name, {("oblivious", 0.1): 70, ("adaptive", 0.1): kept})
    text = paragraph(filter_table(systems, ("vae", "bare vae")), records)
    assert f"which is {said} the classifier alone" in text


def test_without_a_pair_nothing_is_said_of_one(systems, records):
    text = paragraph(filter_table(systems, None), records)
    assert "Without its filter" not in text


def test_a_row_is_a_system_clean_and_by_both_attackers(systems, records):
    table = compared(filter_table(systems, None), records)
    shares = [[cell.partition(" [")[0] for cell in row] for row in table.rows]
    assert table.title == "pgd at linf 0.1"
    assert shares == [
        ["classifier alone", "100.0", "20.0", "20.0", "20.0"],
        ["filter alone", "100.0", "50.0", "15.0", "15.0"],
        ["bare vae", "100.0", "60.0", "5.0", "5.0"],
        ["vae", "100.0", "70.0", "35.0", "35.0"],
    ]
