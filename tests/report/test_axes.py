"""Axes: panels in rows, curves with their intervals, one legend that covers nothing."""

import re

import pytest

from purifold.evaluation.curves import Point
from purifold.evaluation.intervals import Proportion
from purifold.report import figures
from purifold.report.axes import (
    BARE,
    BOTTOM,
    LEFT,
    PANEL,
    RIGHT,
    TOP,
    draw,
    grid,
    label,
    shades,
    share_legend,
    svg,
)


def test_the_same_figure_is_the_same_file(records):
    first, second = (svg(figures.against_budget(records)) for _ in range(2))
    assert first == second
    assert first.count("<svg") == 1


@pytest.mark.parametrize(
    ("count", "columns", "lines"), [(1, 1, 1), (3, 3, 1), (4, 3, 2), (7, 3, 3), (2, 2, 1)]
)
def test_panels_fill_rows_of_three_and_spare_ones_are_gone(count, columns, lines):
    figure, panels = grid(count)
    assert len(panels) == len(figure.axes) == count
    assert tuple(figure.get_size_inches()) == pytest.approx((columns * PANEL[0], lines * PANEL[1]))


def test_a_curve_is_its_values_with_the_wilson_interval_as_a_band():
    _, (axes,) = grid(1)
    curve = (Point(0.0, Proportion(100, 100)), Point(0.3, Proportion(80, 100)))
    draw(axes, curve, color="red", label="vae")
    assert axes.lines[0].get_ydata().tolist() == [1.0, 0.8]
    corners = {tuple(corner) for corner in axes.collections[0].get_paths()[0].vertices.round(4)}
    assert {(0.3, 0.7112), (0.3, 0.8666), (0.0, 0.963), (0.0, 1.0)} <= corners  # Wilson's
    draw(axes, curve, color="red", label=None, band=False)
    assert len(axes.collections) == 1


def test_the_first_label_is_grey_and_no_two_others_share_a_colour():
    found = shades(["bare", "a", "b", "a", "bare", *map(str, range(9))])
    assert found.pop("bare") == BARE
    assert len(set(found.values())) == len(found) == 11


def test_an_accuracy_is_shown_in_percent():
    _, (axes,) = grid(1)
    label(axes, "a", "b")
    assert axes.yaxis.get_major_formatter()(0.25) == "25 %"


@pytest.mark.parametrize("names", [["a"], ["a", "b" * 40, "c" * 40], [str(place) for place in range(30)]])
def test_the_legend_names_each_curve_once_below_panels_of_fixed_size(names):
    figure, panels = grid(4)
    for panel in panels:
        for name in names:
            panel.plot([0, 1], [0, 1], label=name)
    share_legend(figure, panels)
    assert [text.get_text() for text in figure.legends[0].texts] == names
    width, height = figure.get_size_inches()
    legend = figure.legends[0].get_window_extent().height / figure.dpi
    for panel in panels:
        box = panel.get_position()
        assert box.width * width == pytest.approx(PANEL[0] - LEFT - RIGHT)
        assert box.height * height == pytest.approx(PANEL[1] - BOTTOM - TOP)
        assert box.y0 * height >= legend + BOTTOM - 1e-6


def test_text_in_an_svg_is_drawn_so_that_no_font_is_needed():
    figure, (axes,) = grid(1)
    axes.set_title("title")
    assert not re.search(r"<text[ >]", svg(figure))
