"""Figures of systems that may refuse: the curves are the shares, the pictures those that were kept."""

import numpy as np
import pytest

from purifold.attacks.descent import Descent
from purifold.engine.steps.forgery import Forgery
from purifold.engine.steps.selection import Selection
from purifold.papers.refusals import CoverageFigure, ForgeryFigure, RefusalFigure, SamplesFigure
from purifold.report.exhibit_tables import listed
from purifold.report.exhibits import drawn
from purifold.report.packed import packed


@pytest.fixture(scope="module")
def experiment(composed):
    return composed(defenses=("ae-detector",), attacks=("pgd",), epsilons=(0.1, 0.3))[0]


def test_shares_against_the_budget_and_the_paper_s_ceiling(experiment, record, results):
    made = record(
        "ae-detector",
        {("oblivious", 0.1): 90, ("oblivious", 0.3): 60, ("adaptive", 0.1): 40, ("adaptive", 0.3): 1},
    )
    figure = RefusalFigure(
        name="f", caption="c", protocol="pgd", panels=(("digits", experiment),), ceiling=0.0389
    )
    (axes,) = drawn(figure, results({experiment.name: made})).axes
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert lines["accuracy, pgd on the classifier"] == ([0.1, 0.3], [0.9, 0.6])
    assert lines["error, pgd on the classifier"][1] == pytest.approx([0.1, 0.4])
    assert lines["rejection, pgd on the classifier"][1] == [0.0, 0.0]
    assert lines["error, all known, worst case"][1] == pytest.approx([0.6, 0.99])
    assert lines["largest error in the paper, supervised, fgsm"][1] == [0.0389, 0.0389]
    (section,) = listed(figure, results({experiment.name: made}))
    assert [[cell.partition(" [")[0] for cell in row] for row in section.rows] == [
        ["digits", "linf 0.1", "100", "90.0", "10.0", "0.0", "60.0"],
        ["digits", "linf 0.3", "100", "60.0", "40.0", "0.0", "99.0"],
    ]
    assert len(section.header) == 7


def test_risk_against_coverage_with_its_area(experiment, results):
    step = Selection(system=experiment.system, count=9, crafts=())
    figure = CoverageFigure(name="f", caption="c", panels=(("clean", (("gm-vae", step),)),))
    curve = {"coverage": [0.5, 1.0], "risk": [0.0, 0.1], "area": 0.0333, "images": 9, "system": "s"}
    (axes,) = drawn(
        figure, results(measurements={"f": [{"title": "clean", "curves": {"gm-vae": curve}}]})
    ).axes
    (line,) = axes.lines
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0.5, 1.0], [0.0, 0.1])
    assert line.get_label() == "gm-vae: area 3.33 %"
    assert axes.get_title() == "clean (9 images)"


def test_images_that_are_all_accepted_together_are_a_point(experiment, results):
    step = Selection(system=experiment.system, count=9, crafts=())
    figure = CoverageFigure(name="f", caption="c", panels=(("clean", (("gm-vae", step),)),))
    curve = {"coverage": [1.0, 1.0], "risk": [0.5, 0.5], "area": 0.5, "images": 9, "system": "s"}
    (axes,) = drawn(
        figure, results(measurements={"f": [{"title": "clean", "curves": {"gm-vae": curve}}]})
    ).axes
    assert axes.lines[0].get_marker() == "o"


def pictures(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_forgeries_stand_above_what_they_decode_to(experiment, results):
    step = Forgery(system=experiment.system, each=1, rubbish=False, descents=(Descent(),), seed=0)
    figure = ForgeryFigure(name="f", caption="c", rows=(("equation 10", step),))
    kept = {name: pictures(2, 4, 4, 1) for name in ("images", "forged", "decoded")}
    row = {"label": "equation 10", "targets": [3, 5], "answers": [-1, 5], "labels": [1, 1]}
    row |= {name: packed(value) for name, value in kept.items()}
    figure = drawn(figure, results(measurements={"f": [row]}))
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    for place, name in enumerate(("images", "forged", "decoded")):
        for column in range(2):
            assert (shown[2 * place + column] == kept[name][column].squeeze()).all()
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["for 3\nrejected", "for 5\nseen as 5"]


def test_samples_have_a_line_a_class(results):
    block = pictures(3, 2, 4, 4, 3)
    found = [{"title": "supervised", "seed": 0, "images": packed(block)}]
    figure = drawn(SamplesFigure(name="f", caption="c", blocks=()), results(measurements={"f": found}))
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(shown) == 6
    for place, picture in enumerate(block.reshape(6, 4, 4, 3)):
        assert (shown[place] == picture).all()
