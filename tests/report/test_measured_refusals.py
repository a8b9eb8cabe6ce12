"""Exhibits of systems that may refuse, as JSON: every image counted where it belongs, curves thinned."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from purifold.defenses.base import REJECTED
from purifold.engine.steps.decisions import Decided, Decisions
from purifold.engine.steps.selection import Selection
from purifold.engine.store import Store
from purifold.evaluation.selection import Ranked
from purifold.papers.refusals import CoverageFigure, Refusal, RefusalTable, SecondLook, SecondLookTable
from purifold.report import measured_refusals
from purifold.report.measured_refusals import POINTS, of_coverage, of_refusals, of_second_looks

LABELS = [0, 1, 2, 0, 1, 2]
ANSWERS = {
    1: [0, 1, REJECTED, REJECTED, REJECTED, 0],  # never looks again
    2: [0, 1, 2, REJECTED, 0, 0],  # may refuse a second time
    3: [0, 1, 2, 0, 0, 0],  # always answers
    4: [0, 0, 2, 0, 0, 0],  # looks at every image again
}
"""By the seed of the step."""


@pytest.fixture(scope="module")
def experiment(composed):
    return composed(defenses=("ae-detector",), attacks=("pgd",), epsilons=(0.1,))[0]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Fetches the step itself, from which the answers are read."""
    monkeypatch.setattr(Store, "fetch", lambda store, step: step)
    monkeypatch.setattr(
        measured_refusals,
        "read_decisions",
        lambda step: Decided(torch.tensor(LABELS), torch.tensor(ANSWERS[step.seed])),
    )
    return Store(tmp_path)


@pytest.fixture
def decisions(experiment):
    return lambda seed: Decisions(system=experiment.system, count=6, craft=None, seed=seed)


def test_every_answer_is_right_wrong_or_refused(store, decisions, experiment):
    row = Refusal(
        title="clean",
        defense="ae-detector",
        bare=decisions(3),
        refusing=decisions(1),
        experiment=experiment,
        printed={},
    )
    (found,) = of_refusals(RefusalTable(name="t", caption="c", rows=(row,)), store)
    same = {"system": experiment.system.defense, "images": 6}
    assert found == {
        "title": "clean",
        "bare": {**same, "seed": 3, "right": 4, "wrong": 2, "rejected": 0},
        "refusing": {**same, "seed": 1, "right": 2, "wrong": 1, "rejected": 3},
    }
    json.dumps(found, allow_nan=False)


def test_second_looks_are_counted_among_what_was_rejected(store, decisions, experiment):
    row = SecondLook(
        title="again",
        never=decisions(1),
        refusing=decisions(2),
        always=decisions(3),
        equation=decisions(1),
        every=decisions(4),
        printed=None,
    )
    table = SecondLookTable(name="t", caption="c", rows=(row,), followed=(("ours", experiment),))
    assert of_second_looks(table, store) == [
        {
            "title": "again",
            "images": 6,
            "rejected": 3,  # the images at places 2, 3 and 4
            "right": 2,
            "right_by_equation": 0,
            "still_rejected": 1,
            "right_of_the_others": 1,
            "all_right": 4,
            "every_right": 3,
        }
    ]
    (found,) = of_second_looks(replace(table, rows=(replace(row, every=None),)), store)
    assert found["every_right"] is None


@pytest.mark.parametrize("images", [3, 10 * POINTS])
def test_a_curve_keeps_its_ends_and_its_area_and_a_bounded_number_of_points(
    store, experiment, monkeypatch, images
):
    coverage = torch.arange(1, images + 1) / images
    ranked = Ranked(coverage, coverage.square())
    monkeypatch.setattr(measured_refusals, "read_selection", lambda step: ranked)
    step = Selection(system=experiment.system, count=6, crafts=())
    figure = CoverageFigure(name="f", caption="c", panels=(("digits", (("both", step),)),))
    (found,) = of_coverage(figure, store)
    curve = found["curves"]["both"]
    assert (curve["images"], len(curve["coverage"])) == (images, min(images, POINTS))
    assert (curve["coverage"][0], curve["coverage"][-1]) == (pytest.approx(1 / images), 1.0)
    assert curve["risk"] == pytest.approx(np.square(curve["coverage"]))
    assert curve["area"] == pytest.approx(float(coverage.double().square().mean()), rel=1e-5)  # of all points
