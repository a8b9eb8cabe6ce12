"""Tables of systems that may refuse: every image counted once, the printed number beside ours."""

from dataclasses import replace

import pytest
import torch

from purifold.defenses.base import REJECTED
from purifold.engine.steps.alarms import Alarms
from purifold.engine.steps.decisions import Decisions
from purifold.engine.steps.frechet import Frechet
from purifold.engine.steps.unseen import Unseen
from purifold.evaluation.outcome import Attacked
from purifold.papers.refusals import (
    AlarmsTable,
    FrechetTable,
    KnownTable,
    Refusal,
    RefusalTable,
    SecondLook,
    SecondLookTable,
    SoughtTable,
)
from purifold.report.exhibit_tables import listed
from purifold.report.refusals import by_budget, known_remark, mistaken


@pytest.fixture(scope="module")
def experiment(composed):
    return composed(defenses=("ae-detector",), attacks=("pgd",), epsilons=(0.1, 0.3))[0]


@pytest.fixture(scope="module")
def step(experiment):
    return Decisions(system=experiment.system, count=9, craft=None, seed=0)


@pytest.fixture
def records(experiment, record):
    """Survivors of 100; of the rest under attack at 0.3 without knowledge 30 are turned away."""
    made = record(
        "ae-detector",
        {("oblivious", 0.1): 90, ("oblivious", 0.3): 60, ("adaptive", 0.1): 40, ("adaptive", 0.3): 1},
    )
    return {experiment.name: replace(made, outcomes=tuple(_turned(each) for each in made.outcomes))}


def _turned(outcome):
    if (outcome.knowledge, outcome.threat.epsilon) != ("oblivious", 0.3):
        return outcome
    attacked = outcome.attacked["pgd"]
    predictions = attacked.predictions.clone()
    predictions[70:] = REJECTED
    kept = {name: getattr(attacked, name) for name in ("l2", "linf", "relative_l2")}
    return replace(outcome, attacked={"pgd": Attacked(predictions=predictions, rounded=predictions, **kept)})


def test_clean_shares_stand_beside_the_printed_ones_and_missing_data_is_said(
    experiment, step, records, results
):
    row = Refusal(
        title="digits, supervised",
        defense="gm-vae",
        bare=step,
        refusing=step,
        experiment=experiment,
        printed={"bare": 0.9967, "error": 0.02, "rejection": 0.0181},
    )
    table = RefusalTable(name="t", caption="c", rows=(row,), missing=(("svhn", {"accuracy": 0.928}),))
    counts = {"bare": {"right": 97, "images": 100}, "refusing": {"right": 90, "wrong": 2, "rejected": 8}}
    counts["refusing"]["images"] = 100
    (section,) = listed(table, results(records, measurements={"t": [counts]}))
    ours, missing = section.rows
    assert [cell.partition(" ")[0] for cell in ours[2:11]] == [
        "100",
        "99.67",
        "97.00",
        "",
        "90.00",
        "2.00",
        "2.00",
        "1.81",
        "8.00",
    ]
    assert [cell.rpartition(" ")[2] for cell in (ours[4], ours[10])] == ["below", "above"]
    assert [ours[place].endswith("]") for place in (6, 8)] == [True, True]
    assert ours[11] == "100"
    assert "linf 0.1: 60.0" in ours[12]
    assert "linf 0.3: 99.0" in ours[12]
    assert len(missing) == len(ours) == len(section.header)
    assert missing[:3] == ["svhn", "gm-vae", "not run: data not at hand"]
    assert missing[5] == "92.80"


def test_who_knows_less_stands_beside_who_knows_all(experiment, records, results):
    table = KnownTable(name="t", caption="c", rows=(("digits", experiment),))
    (section,) = listed(table, results(records))
    shares = [[cell.partition(" ")[0] for cell in row[2:]] for row in section.rows]
    assert shares == [["100", "10.0", "0.0", "60.0"], ["100", "10.0", "30.0", "99.0"]]


def test_the_largest_share_that_is_accepted_and_wrong_is_said_of_each_system(
    experiment, records, record, results
):
    table = KnownTable(name="t", caption="c", rows=(("digits", experiment),))
    said = known_remark(table, results(records))
    assert "of all images: 99.0 % [94.6, 99.8] of digits at linf 0.3." in said
    none = record("ae-detector", {("oblivious", 0.1): 100, ("adaptive", 0.1): 100}, passed=False)
    said = known_remark(table, results({experiment.name: none}))
    assert "0.0 % [0.0, 3.7] of digits (unreliable) at linf 0.1." in said


def test_an_image_that_is_turned_away_is_not_mistaken(records):
    (record,) = records.values()
    blind = [outcome for outcome in record.outcomes if outcome.knowledge == "oblivious"]
    assert [mistaken([outcome]).successes for outcome in blind] == [10, 10]
    assert [threat.epsilon for threat, _ in by_budget(record.outcomes[::-1])] == [0.1, 0.3]


def test_who_knows_all_may_do_what_one_does_who_knows_less(experiment, record, results):
    made = record("ae-detector", {("oblivious", 0.3): 20, ("adaptive", 0.3): 60})
    found = results({experiment.name: made})
    assert mistaken(made.outcomes).successes == 80
    (section,) = listed(KnownTable(name="t", caption="c", rows=(("digits", experiment),)), found)
    assert [cell.partition(" ")[0] for cell in section.rows[0][3:]] == ["80.0", "0.0", "80.0"]


def test_an_image_that_is_wrong_when_clean_is_mistaken_too(record):
    (outcome,) = record("ae-detector", {("adaptive", 0.3): 60}).outcomes
    clean = outcome.clean.clone()
    clean[50:] = 1
    assert mistaken([outcome]).successes == 40
    assert mistaken([replace(outcome, clean=clean)]).successes == 40
    refused = torch.full_like(outcome.clean, REJECTED)
    assert mistaken([replace(outcome, clean=refused)]).successes == 40


def test_a_second_look_is_a_share_of_those_rejected(experiment, step, records, results):
    row = SecondLook(
        title="clean", never=step, refusing=step, always=step, equation=step, every=step, printed=0.6077
    )
    table = SecondLookTable(name="t", caption="c", rows=(row, row), followed=(("ours", experiment),))
    some = {
        "title": "clean",
        "images": 100,
        "rejected": 20,
        "right": 15,
        "right_by_equation": 10,
        "still_rejected": 10,
    }
    found = [
        {**some, "right_of_the_others": 9, "all_right": 95, "every_right": 97},
        {
            **some,
            "rejected": 0,
            "right": 0,
            "right_by_equation": 0,
            "still_rejected": 0,
            "right_of_the_others": 0,
            "all_right": 99,
            "every_right": None,
        },
    ]
    looks, known = listed(table, results(records, measurements={"t": found}))
    first, none = ([cell.partition(" ")[0] for cell in row] for row in looks.rows)
    assert first == ["clean", "20", "60.8", "50.0", "75.0", "50.0", "90.0", "95.0", "97.0"]
    assert none == ["clean", "0", "60.8", "", "", "", "", "99.0", ""]
    assert [row[3].partition(" ")[0] for row in known.rows] == ["40.0", "1.0"]


def test_distances_stand_beside_the_printed_ones(experiment, composed, results):
    settings = {"defenses": ("none",), "attacks": ("pgd",), "epsilons": (0.1,)}
    (mixture,) = composed(classifier="gm-vae", **settings)
    reader = experiment.system.classifier
    step = Frechet(autoencoder=mixture.system.classifier, reader=reader, seed=0)
    table = FrechetTable(name="t", caption="c", rows=(("supervised", step, 50.4), ("other", step, None)))
    some = {"images": 248, "reader": "small-cnn", "samples": 105.08, "fitted": 61.26, "real": 3.144}
    (section,) = listed(table, results(measurements={"t": [some, some]}))
    assert section.title == "Frechet distance in the features of small-cnn"
    assert section.rows == [
        ["supervised", "248", "50.4", "105.1", "61.26", "3.14"],
        ["other", "248", "", "105.1", "61.26", "3.14"],
    ]


def test_alarms_have_a_column_for_each_detector(experiment, results):
    step = Alarms(system=experiment.system, count=50, craft=None)
    table = AlarmsTable(name="t", caption="c", rows=(("supervised", "clean", step),))
    counts = {"images": 50, "by": {"latent-distance": 2, "reconstruction-error": 10}, "any": 11}
    (section,) = listed(table, results(measurements={"t": [{"title": "a", "submitted": "clean", **counts}]}))
    assert section.header == [
        "model",
        "submitted",
        "images",
        "by latent-distance",
        "by reconstruction-error",
        "by any",
    ]
    (row,) = section.rows
    assert row[:3] == ["a", "clean", "50"]
    assert [cell.split()[0] for cell in row[3:]] == ["4.0", "20.0", "22.0"]


def test_what_was_sought_is_a_share_of_what_was_tried(experiment, results):
    step = Unseen(system=experiment.system, source="uniform", count=50, seed=0)
    table = SoughtTable(name="t", caption="c", rows=(("digits", step), ("digits", step)))
    found = [
        {"system": "digits", "sought": "uniform accepted", "tried": 50, "got": 5},
        {"system": "digits", "sought": "forged", "tried": 0, "got": 0, "mean_l2": 1.234},
    ]
    (section,) = listed(table, results(measurements={"t": found}))
    assert section.rows[0][:3] == ["digits", "uniform accepted", "50"]
    assert section.rows[0][3].startswith("10.0 [")
    assert section.rows[1][3:] == ["", "1.23"]
    assert len(section.header) == len(section.rows[0])
