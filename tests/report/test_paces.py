"""What fits into a limit, and accuracy against seconds."""

import pytest

from purifold.engine.steps.pace import Pace
from purifold.papers.exhibit import PaceFigure
from purifold.papers.table import Limited, LimitTable
from purifold.report.exhibit_tables import listed
from purifold.report.exhibits import drawn
from purifold.report.paces import accuracy, longest


def paced(system, seconds, clean, attacked):
    return {"system": system, "seconds": seconds, "images": 100, "correct": {"": clean, "fgsm": attacked}}


QUICK, MIDDLE, SLOW = paced("g:1", 0.4, 60, 40), paced("g:2", 0.9, 70, 50), paced("g:3", 1.1, 90, 80)

KNOWN = "7.0 [3.4, 13.7]"


@pytest.fixture
def experiment(composed):
    return composed(defenses=("none",), attacks=("fgsm",), epsilons=(0.3,))[0]


@pytest.fixture
def records(experiment, record):
    return {experiment.name: record("none", {("oblivious", 0.3): 60, ("adaptive", 0.3): 7})}


@pytest.fixture
def pace(experiment):
    return Pace(system=experiment.system, count=100, crafts=(), seed=0)


def test_the_longest_that_fits_is_not_the_most_accurate():
    worse = paced("g:2", 0.95, 50, 30)
    assert longest([SLOW, worse, QUICK, MIDDLE], 1.0) is worse
    assert longest([SLOW, QUICK, MIDDLE], 0.4) is QUICK
    assert longest([SLOW, QUICK, MIDDLE], 0.3) is None
    assert accuracy(SLOW, "fgsm").value == 0.8


def test_a_limit_is_stated_with_what_fits_and_what_does_not(pace, experiment, records, results):
    rows = (
        Limited(defense="gan", paces=(pace, pace), experiment=experiment, printed={"fgsm": 0.9}),
        Limited(defense="slow", paces=(pace,), experiment=experiment, printed={}),
    )
    table = LimitTable(name="t", caption="c", seconds=1.0, attacks=("fgsm",), rows=rows)
    found = [{"defense": "gan", "paces": [QUICK, MIDDLE, SLOW]}, {"defense": "slow", "paces": [SLOW]}]
    (section,) = listed(table, results(records, measurements={"t": found}))
    assert section.title == "1 s for 100 images"
    assert section.rows == [
        ["fgsm", "gan", "g:2", "0.9", "90.0", "50.0 [40.4, 59.6]", "-40.0 below", KNOWN],
        ["fgsm", "slow", "nothing", "1.1 at least", "", "", "", KNOWN],
    ]


def test_a_single_pass_is_a_flat_line_from_where_it_is_done(pace, experiment, records, results):
    figure = PaceFigure(
        name="f",
        caption="c",
        iterative=("many", (pace, pace)),
        flat=("one", pace),
        known=(("all", experiment),),
    )
    one = paced("one", 0.2, 95, 85)
    (axes,) = drawn(figure, results(records, measurements={"f": [one, SLOW, QUICK]})).axes
    drawn_lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]
    assert ([0.4, 1.1], [0.4, 0.8]) in drawn_lines
    assert ([0.4, 1.1], [0.6, 0.9]) in drawn_lines
    assert ([0.2, 1.1], [0.85, 0.85]) in drawn_lines
    assert ([0.2, 1.1], [0.95, 0.95]) in drawn_lines
    assert ([0, 1], [0.07, 0.07]) in drawn_lines  # from end to end, by an attacker who knows the defense
