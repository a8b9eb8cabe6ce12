"""Tables of a paper hold the numbers of the records, each under the place where its images were made."""

import math
from dataclasses import replace

import pytest

from purifold.attacks.pgd import PGD
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.pace import Pace
from purifold.papers.table import OriginTable, PrintedCell, PrintedTable, SecondsTable, Section, TransferTable
from purifold.report.exhibit_tables import listed
from purifold.threat import ThreatModel

NETWORKS = ("small-cnn", "mlp")


@pytest.fixture(scope="module")
def systems(composed):
    """The bare classifiers."""
    question = {"defenses": ("none",), "attacks": ("pgd",), "epsilons": (0.1,)}
    return [composed(classifier=name, **question)[0] for name in NETWORKS]


@pytest.fixture
def found(systems, record, results):
    """Survivors of 100: on their own classifier 10 and 20, from the other one 70 and 80, stacked 5 and 6."""
    records = {}
    for experiment, own, moved, stacked in zip(systems, (10, 20), (70, 80), (5, 6), strict=True):
        network = experiment.system.classifier.network
        made = record("none", {("oblivious", 0.1): own, ("transfer", 0.1): moved, ("adaptive", 0.1): stacked})
        (other,) = set(NETWORKS) - {network}
        outcomes = [
            replace(outcome, substitute=other if outcome.knowledge == "transfer" else "")
            for outcome in made.outcomes
        ]
        records[experiment.name] = replace(
            made, outcomes=tuple(outcomes), classifier={**made.classifier, "network": network}
        )
    return results(records)


def section(*experiments):
    return (Section(title="digits", epsilon=0.1, experiments=experiments),)


def shares(row):
    return [cell.partition(" ")[0] for cell in row]


def test_a_purifier_has_a_row_an_attack_and_a_column_an_origin(systems, found):
    (table,) = listed(OriginTable(name="t", caption="c", sections=section(systems[0])), found)
    assert table.header == [
        "purifier",
        "attack",
        "clean",
        "made on classifier",
        "made on stacked",
        "made on mlp",
    ]
    assert [row[1] for row in table.rows] == ["pgd", "worst case"]
    assert [shares(row)[2:] for row in table.rows] == [["100.0", "10.0", "5.0", "70.0"]] * 2


def test_a_classifier_has_a_column_and_the_one_the_images_were_made_on_a_row(systems, found):
    (table,) = listed(TransferTable(name="t", caption="c", sections=section(*systems)), found)
    assert table.header == ["made on", "small-cnn", "mlp"]
    assert [shares(row) for row in table.rows] == [
        ["small-cnn", "10.0", "80.0"],
        ["mlp", "70.0", "20.0"],
        ["stacked", "5.0", "6.0"],
    ]


def test_its_text_is_a_markdown_table(systems, found):
    (table,) = listed(TransferTable(name="t", caption="c", sections=section(*systems)), found)
    lines = table.markdown().splitlines()
    assert lines[0] == "## digits"
    assert lines[2].count("|") == lines[4].count("|") == 4


@pytest.mark.parametrize(
    ("printed", "difference"),
    [(None, ""), (0.05, "+5.0"), (0.12, "-2.0"), (0.17, "-7.0"), (0.2, "-10.0 below")],
)
def test_a_printed_number_stands_beside_ours_and_is_marked_beyond_the_interval(
    systems, found, printed, difference
):
    """10 of 100 images: Wilson's interval is [5.5, 17.4] percent."""
    pace = Pace(system=systems[0].system, count=100, crafts=(), seed=0)
    cell = PrintedCell(defense="bare", attack="pgd", pace=pace, experiment=systems[0], printed=printed)
    answers = {"system": "none", "seed": 0, "images": 100, "seconds": 1.0, "correct": {"": 100, "pgd": 10}}
    known = replace(found, measurements={"t": [{"title": "digits", "paces": {"bare": answers}}]})
    (table,) = listed(PrintedTable(name="t", caption="c", sections=(("digits", (cell,)),)), known)
    (row,) = table.rows
    assert row[:3] == ["pgd", "bare", "100"]
    assert row[3] == ("" if printed is None else f"{100 * printed:.1f}")
    assert shares(row)[4] == "10.0"
    assert row[5] == difference
    assert shares(row)[6:] == ["100", "5.0", "5.0"]  # of 100 images, by an attacker who knows the defense


@pytest.mark.parametrize(
    ("epsilon", "left", "shown"),
    [(math.inf, 1, "pgd"), (math.inf, 2, "pgd (too weak)"), (0.3, 50, "pgd")],
)
def test_an_attack_without_a_budget_that_leaves_the_bare_classifier_images_is_called_too_weak(
    systems, found, epsilon, left, shown
):
    """At most 1 of 100; inside a budget, what it leaves may be the budget's doing."""
    system = systems[0].system
    craft = Craft.of(system, 100, PGD(), ThreatModel("linf", epsilon), "oblivious", seed=0)
    pace = Pace(system=system, count=100, crafts=(craft,), seed=0)
    cells = [
        PrintedCell(defense=name, attack="pgd", pace=pace, experiment=systems[0], printed=None)
        for name in ("none", "vae")
    ]
    answers = {"images": 100, "seconds": 1.0, "correct": {"": 100, "pgd": 90}}
    paces = {"none": answers | {"correct": {"": 100, "pgd": left}}, "vae": answers}
    known = replace(found, measurements={"t": [{"title": "digits", "paces": paces}]})
    (table,) = listed(PrintedTable(name="t", caption="c", sections=(("digits", tuple(cells)),)), known)
    assert [row[0] for row in table.rows] == [shown, shown]


def test_seconds_stand_as_multiples_of_the_first_defense_and_of_the_classifier(results):
    rows = [
        {"defense": "puvae", "printed": 0.11, "images": 128, "system": 0.2, "classifier": 0.1},
        {"defense": "defense-gan", "printed": 14.8, "images": 128, "system": 50.0, "classifier": 0.1},
        {"defense": "magnet", "printed": None, "images": 128, "system": 0.12, "classifier": 0.1},
    ]
    found = results(measurements={"t": rows})
    (table,) = listed(SecondsTable(name="t", caption="c", rows=()), found)
    assert table.title == "128 images"
    assert table.rows == [
        ["puvae", "0.2", "1", "2", "0.11", "1"],
        ["defense-gan", "50", "250", "500", "14.8", "134.5"],
        ["magnet", "0.12", "0.6", "1.2", "", ""],
    ]
