"""Papers by name: found, composed, and their printed cells about experiments that they have."""

import pytest

from purifold.engine.scale import SCALES
from purifold.errors import InputError
from purifold.papers.library import paper, papers


def test_an_unknown_paper_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'foundation'"):
        paper("fondation")


@pytest.mark.parametrize("name", papers())
def test_every_paper_prints_about_defenses_and_attacks_that_it_runs(name, mnist_like):
    found = papers()[name]
    experiments = found.study(SCALES["smoke"], mnist_like, 0).experiments
    defenses = {experiment.system.defense for experiment in experiments}
    attacks = {attack.name for experiment in experiments for attack in experiment.attacks}
    cells = found.printed()
    assert {cell.defense for cell in cells} <= defenses
    assert {cell.attack for cell in cells} <= attacks
    assert all(0 <= cell.accuracy <= 1 and cell.relative_l2 > 0 for cell in cells)
