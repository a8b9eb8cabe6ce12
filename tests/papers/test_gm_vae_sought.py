"""Other aims of attackers of `gm-vae`: which systems meet them, and on how much."""

from purifold.engine.steps.flood import Flood
from purifold.engine.steps.forgery import Forgery
from purifold.engine.steps.unseen import Unseen
from purifold.papers.gm_vae_cells import DESCENTS, DIGITS, FREE, PLAIN, REFUSING, SIZES
from purifold.papers.refusals import ForgeryFigure, SoughtTable

SIZE = SIZES["smoke"]


def attempts(table, kind, defense):
    assert isinstance(table, SoughtTable)
    return [step for _, step in table.rows if isinstance(step, kind) and step.system.defense == defense]


def test_both_systems_are_shown_noise_and_other_data(gm_vae_exhibits):
    for defense in (REFUSING, PLAIN):
        shown = attempts(gm_vae_exhibits["sought"], Unseen, defense)
        assert [step.count for step in shown] == 3 * [SIZE.noise]
        *noise, other = (step.source for step in shown)
        assert noise == ["uniform", "gaussian"]
        assert other.name == DIGITS.other


def test_both_are_flooded_at_the_smallest_and_the_largest_budget(gm_vae_exhibits):
    for defense in (REFUSING, PLAIN):
        floods = attempts(gm_vae_exhibits["sought"], Flood, defense)
        assert [step.threat.epsilon for step in floods] == [min(DIGITS.epsilons), max(DIGITS.epsilons)]
        assert {step.count for step in floods} == {SIZE.known}


def test_what_is_forged_needs_a_decoder(gm_vae_exhibits):
    assert attempts(gm_vae_exhibits["sought"], Forgery, PLAIN) == []
    assert len(attempts(gm_vae_exhibits["sought"], Forgery, REFUSING)) == 2


def test_the_figure_shows_the_forgeries_that_the_table_counts(gm_vae_exhibits):
    table, figure = gm_vae_exhibits["sought"], gm_vae_exhibits["fig-4"]
    assert isinstance(figure, ForgeryFigure)
    assert {step for _, step in figure.rows} <= {step for _, step in table.rows}
    assert {step.rubbish: step.descents for _, step in figure.rows} == {False: DESCENTS, True: FREE}
    assert all(descent.nearness == 0 for descent in FREE)
    assert DESCENTS[0].nearness == 1
