import pytest

from purifold.defenses.base import REJECTED
from purifold.evaluation.check import Check
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.record import Record
from purifold.evaluation.summary import WORST, rows


def test_rows_are_the_attacks_of_each_outcome_and_their_worst_case(outcome):
    found = outcome(
        [0, 0, 0, 0],
        [0, 0, 0, 1],
        {"pgd": [1, 0, 0, 0], "cw": [0, REJECTED, 1, 0]},
        rounded={"pgd": [0, 0, 0, 0]},
        distance=0.04,
    )
    record = Record(
        title="t",
        command="c",
        created="now",
        seconds=1.0,
        data={},
        classifier={},
        defense={"name": "vae"},
        attacks=(),
        seed=0,
        draws=1,
        eot=1,
        checks=(Check("a", False, "", "", ""),),
        environment={},
        outcomes=(found,),
    )
    pgd, cw, worst = rows(record)
    assert [row.attack for row in (pgd, cw, worst)] == ["pgd", "cw", WORST]
    assert {(row.defense, row.knowledge, row.norm, row.epsilon) for row in (pgd, cw, worst)} == {
        ("vae", "adaptive", "linf", 0.1)
    }
    assert [row.accuracy for row in (pgd, cw, worst)] == [
        Proportion(2, 4),
        Proportion(2, 4),
        Proportion(1, 4),
    ]
    assert [row.rounded for row in (pgd, cw, worst)] == [Proportion(3, 4), Proportion(2, 4), Proportion(2, 4)]
    assert [row.one_shot for row in (pgd, cw, worst)] == [0.5, 0.5, 0.25]
    assert (pgd.rejected, cw.rejected, worst.rejected) == (Proportion(0, 4), Proportion(1, 4), None)
    assert pgd.relative_l2 == pytest.approx(0.02)
    assert worst.relative_l2 is None
    assert all(row.unreliable and row.clean == Proportion(3, 4) for row in (pgd, cw, worst))
