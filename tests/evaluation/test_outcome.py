import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from purifold.defenses.base import REJECTED
from purifold.errors import InputError
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Attacked, Outcome, worst
from purifold.threat import ThreatModel

R = REJECTED


def test_rejection_saves_an_attacked_image_and_loses_a_clean_one(outcome):
    # right; wrong when attacked; rejected when attacked; rejected when clean; wrong when clean
    found = outcome([0, 0, 0, 0, 0], [0, 0, 0, R, 1], {"pgd": [0, 1, R, 0, 0]})
    assert found.correct_clean().tolist() == [True, True, True, False, False]
    assert found.robust().tolist() == [True, False, True, False, False]
    assert found.robust_accuracy() == Proportion(2, 5)
    assert found.rejection("pgd") == Proportion(1, 5)
    assert found.clean_rejection() == Proportion(1, 5)


def test_worst_case_is_per_image_and_not_the_worst_attack(outcome):
    found = outcome([0] * 4, [0] * 4, {"a": [1, 0, 0, 0], "b": [0, 1, 0, 0]})
    assert found.robust_accuracy("a") == found.robust_accuracy("b") == Proportion(3, 4)
    assert found.robust_accuracy() == Proportion(2, 4)


CLASS = st.integers(0, 2)
PREDICTION = st.integers(-1, 2)


@given(st.lists(st.tuples(CLASS, PREDICTION, PREDICTION, PREDICTION), min_size=1, max_size=20))
def test_an_image_is_robust_when_right_clean_and_held_against_every_attack(table):
    labels, clean, first, second = (torch.tensor(column) for column in zip(*table, strict=True))
    zeros = torch.zeros(len(table))
    attacked = {
        name: Attacked(found[:, None], found[:, None], zeros, zeros, zeros)
        for name, found in (("a", first), ("b", second))
    }
    outcome = Outcome(ThreatModel("l2", 1.0), "adaptive", "x", labels, clean[:, None], attacked)
    expected = [c == y and a in (y, R) and b in (y, R) for y, c, a, b in table]
    assert outcome.robust().tolist() == expected
    assert outcome.one_shot() == pytest.approx(sum(expected) / len(expected))


def test_majority_of_draws_decides_and_ties_go_against_the_defense(outcome):
    clean = [[0, 0, 1, 1], [0, 0, 0, 1], [0] * 4, [0] * 4]
    attacked = [[0] * 4, [0] * 4, [0, 1, R, 1], [0, 1, R, 0]]
    found = outcome([0] * 4, clean, {"pgd": attacked})
    assert found.correct_clean().tolist() == [False, True, True, True]
    assert found.robust().tolist() == [False, True, False, True]


def test_one_shot_is_the_mean_over_draws(outcome):
    clean = [[0, 0, 0, 1], [0, 1, 1, 1]]
    found = outcome([0, 0], clean, {"a": [[0, 0, 1, 1], [0] * 4], "b": [[R, 1, 1, 1], [0] * 4]})
    assert found.one_shot("a") == pytest.approx(0.5 / 2)  # the second image is wrong when clean
    assert found.one_shot() == pytest.approx(0.25 / 2)
    assert found.clean_one_shot() == pytest.approx((0.75 + 0.25) / 2)


def test_single_accuracy_takes_the_first_draw_and_forgets_the_clean_image(outcome):
    found = outcome(
        [0, 0, 0, 0],
        [[0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]],
        {"pgd": [[1, 0, 0], [0, 1, 1], [REJECTED, 1, 1], [0, 0, 0]]},
    )
    assert found.single_accuracy() == Proportion(3, 4)
    assert found.single_accuracy("pgd") == Proportion(3, 4)
    assert found.robust_accuracy("pgd") == Proportion(1, 4)


def test_rounded_predictions_are_judged_beside_the_others(outcome):
    found = outcome([0, 0], [0, 0], {"pgd": [1, 1]}, rounded={"pgd": [0, 1]})
    assert found.robust_accuracy() == Proportion(0, 2)
    assert found.robust_accuracy(rounded=True) == Proportion(1, 2)


def test_an_attack_that_was_not_run_is_refused_with_the_nearest_name(outcome):
    with pytest.raises(InputError, match="did you mean 'pgd'"):
        outcome([0], [0], {"pgd": [0]}).robust("pdg")


def test_outcome_refuses_predictions_of_other_images(outcome):
    with pytest.raises(InputError, match=r"pgd.predictions must hold 2 images"):
        outcome([0, 1], [0, 1], {"pgd": [0, 1, 1]})


def test_worst_takes_each_image_at_the_knowledge_it_falls_to(outcome):
    blind = outcome([0] * 3, [0] * 3, {"pgd": [1, 0, 0]}, knowledge="oblivious")
    aware = outcome([0] * 3, [0] * 3, {"pgd": [0, 1, 0]})
    assert worst([blind, aware]).tolist() == [False, False, True]


@pytest.mark.parametrize("other", [{"images": "fedcba9876543210"}, {}])
def test_worst_refuses_outcomes_of_other_images_or_labels(outcome, other):
    labels = [0, 0] if other else [0, 1]
    with pytest.raises(InputError, match="same images and labels"):
        worst([outcome([0, 0], [0, 0], {}), outcome(labels, [0, 0], {}, **other)])


@pytest.mark.parametrize("epsilon", [8 / 255, math.inf])
def test_arrays_and_json_give_back_the_same_outcome(outcome, tmp_path, epsilon):
    import json

    made = outcome(
        [0, 3],
        [[0, R], [3, 3]],
        {"pgd": [[1, R], [3, 0]], "pgd+eot20": [[0, 0], [2, 2]]},
        threat=ThreatModel("l2", epsilon),
        distance=torch.tensor([0.1, 1 / 3]),
    )
    header, arrays = made.to_arrays()
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    loaded = dict(np.load(tmp_path / "x.npz", allow_pickle=False))
    back = Outcome.from_arrays(json.loads(json.dumps(header, allow_nan=False)), loaded)
    assert (back.threat, back.knowledge, back.images) == (made.threat, made.knowledge, made.images)
    assert torch.equal(back.labels, made.labels)
    assert torch.equal(back.clean, made.clean)
    assert list(back.attacked) == list(made.attacked)
    for name, attacked in made.attacked.items():
        for field, values in vars(attacked).items():
            found = getattr(back.attacked[name], field)
            assert torch.equal(found, values)
            assert found.dtype == values.dtype
