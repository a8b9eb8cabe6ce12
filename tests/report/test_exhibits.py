"""Figures of a paper draw the numbers of the results."""

from dataclasses import replace

import pytest

from purifold.papers.exhibit import AccuracyFigure, CodesFigure, Curve, Panel, UnitsFigure
from purifold.report.exhibits import drawn


def lines(axes):
    return [
        (line.get_label(), line.get_linestyle(), list(line.get_xdata()), list(line.get_ydata()))
        for line in axes.lines
        if line.get_linestyle() != "None"
    ]


@pytest.fixture
def experiment(composed):
    return composed(defenses=("none",), attacks=("pgd", "fgsm"), epsilons=(0.1, 0.3))[0]


def test_the_paper_s_attack_is_solid_and_the_worst_case_dashed(experiment, record, results):
    made = record("none", {("adaptive", 0.1): 60, ("adaptive", 0.3): 20}, attack="fgsm")
    stronger = record("none", {("adaptive", 0.1): 50, ("adaptive", 0.3): 0}, attack="pgd")
    both = [
        replace(weak, attacked={**weak.attacked, **strong.attacked})
        for weak, strong in zip(made.outcomes, stronger.outcomes, strict=True)
    ]
    found = results({experiment.name: replace(made, outcomes=tuple(both))})
    panel = Panel(title="digits", curves=(Curve(label="bare", experiment=experiment),))
    figure = AccuracyFigure(name="f", caption="c", protocol="fgsm", panels=(panel,), columns=1)
    (axes,) = drawn(figure, found).axes
    assert lines(axes)[0] == ("bare", "-", [0.0, 0.1, 0.3], [1.0, 0.6, 0.2])
    assert lines(axes)[1][1:] == ("--", [0.0, 0.1, 0.3], [1.0, 0.5, 0.0])
    assert len(axes.collections) == 1  # one band: the interval of the paper's attack


def test_a_label_has_one_color_in_all_panels_also_where_one_of_them_lacks_a_curve(
    experiment, record, results
):
    found = results({experiment.name: record("none", {("adaptive", 0.1): 60})})
    panels = tuple(
        Panel(title="", curves=tuple(Curve(label=label, experiment=experiment) for label in labels))
        for labels in (("bare", "0", "0.1", "1"), ("bare", "0", "0.1"))
    )
    figure = AccuracyFigure(name="f", caption="c", protocol="pgd", panels=panels, columns=2)
    colors = {}
    for axes in drawn(figure, found).axes:
        for line in axes.lines:
            if not line.get_label().startswith("_"):
                colors.setdefault(line.get_label(), set()).add(line.get_color())
    styles = {"under pgd", "worst case over all attacks"}
    assert set(colors) == {"bare", "0", "0.1", "1"} | styles
    assert all(len(each) == 1 for each in colors.values())
    assert len(set.union(*(each for name, each in colors.items() if name not in styles))) == 4


def test_codes_have_a_row_a_quantity_and_a_column_a_data_set(results):
    points = [
        {"x": x, "cosine": [0.5 + x, 0.1], "ratio": [1 + x, 0.2], "diameter": 10 + x} for x in (0.0, 0.4)
    ]
    panels = [{"title": title, "curves": {"AE": points, "VAE": points}} for title in ("mnist", "btsc")]
    figure = CodesFigure(name="f", caption="c", xlabel="noise", panels=())
    axes = drawn(figure, results(measurements={"f": panels})).axes
    assert len(axes) == 3 * 2
    assert [axes[0].get_title(), axes[1].get_title()] == ["mnist", "btsc"]
    assert axes[0].containers[0].lines[0].get_ydata().tolist() == pytest.approx([0.5, 0.9])
    assert axes[2].containers[0].lines[0].get_ydata().tolist() == pytest.approx([1.0, 1.4])
    assert lines(axes[4])[0][2:] == ([0.0, 0.4], [10.0, 10.4])


def test_active_units_stand_beside_the_number_of_all_units(results):
    points = [{"x": 8, "active": 7}, {"x": 64, "active": 12}]
    figure = UnitsFigure(name="f", caption="c", panels=())
    (axes,) = drawn(figure, results(measurements={"f": [{"title": "mnist", "curves": {"VAE": points}}]})).axes
    assert [line[2:] for line in lines(axes)] == [([8, 64], [7, 12]), ([8, 64], [8, 64])]
