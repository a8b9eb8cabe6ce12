"""Figure 5 and table 6 of `puvae`: which systems run against the clock, and what the paper prints of them."""

from dataclasses import replace

import pytest

from purifold.defenses.recipe import parse
from purifold.papers.puvae_cells import SEARCHING
from purifold.papers.puvae_pace import RESTARTS, SMOKE_STEPS, STEPS, limit_table, pace_figure

PERCENT = {"fgsm": 10.0, "i-fgsm": 20.0, "rand-fgsm": 30.0, "cw-l2": 40.0}
DEFENSES = ("adversarial-training", "magnet", "puvae", SEARCHING)
PRINTED = {attack: dict.fromkeys(DEFENSES, percent) for attack, percent in PERCENT.items()}


def searched(paces):
    """Steps and restarts of Defense-GAN."""
    chosen = [dict(parse(pace.system.defense).chosen) for pace in paces]
    return [(options["steps"], options["restarts"]) for options in chosen]


@pytest.mark.parametrize(("scale", "steps"), [("smoke", SMOKE_STEPS), ("cpu", STEPS), ("paper", STEPS)])
def test_defense_gan_takes_ever_more_steps_with_all_restarts_in_the_figure(cell, scale, steps):
    figure = pace_figure(cell, scale, 16)
    assert searched(figure.iterative[1]) == [(count, RESTARTS) for count in steps]
    assert list(steps) == sorted(set(steps))


def test_all_systems_of_the_figure_answer_to_the_same_images(cell):
    figure = pace_figure(cell, "smoke", 16)
    paces = (figure.flat[1], *figure.iterative[1])
    assert len({pace.crafts for pace in paces}) == 1
    assert {pace.count for pace in paces} == {craft.count for craft in paces[0].crafts} == {16}
    assert {pace.system.autoencoders for pace in figure.iterative[1]} == {
        cell.inside[SEARCHING].system.autoencoders
    }
    assert figure.experiments == (cell.inside["puvae"], cell.inside[SEARCHING])


def test_the_table_gives_defense_gan_its_restarts_or_one_and_the_others_one_pass(cell):
    rows = {row.defense: row for row in limit_table(cell, "smoke", 16, PRINTED).rows}
    assert set(rows) == set(DEFENSES)
    assert searched(rows[SEARCHING].paces) == [(n, m) for m in (RESTARTS, 1) for n in SMOKE_STEPS]
    for name in set(DEFENSES) - {SEARCHING}:
        assert [pace.system for pace in rows[name].paces] == [cell.inside[name].system]
        assert rows[name].experiment == cell.inside[name]


def test_what_the_paper_prints_for_mnist_stands_beside_no_other_data_set(cell):
    assert [row.printed for row in limit_table(cell, "smoke", 16, PRINTED).rows] == [{}] * 4


def test_every_attack_of_the_table_finds_what_the_paper_prints_as_a_share(cell):
    mnist = replace(cell, subject=replace(cell.subject, data="mnist"))
    table = limit_table(mnist, "smoke", 16, PRINTED)
    for row in table.rows:
        assert row.printed == {
            "fgsm-targeted": 0.1,
            "i-fgsm-targeted": 0.2,
            "rand-fgsm-targeted": 0.3,
            "cw-l2": 0.4,
        }
        assert set(row.printed) == set(table.attacks)
