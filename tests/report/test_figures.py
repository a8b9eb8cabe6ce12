"""Figures draw the numbers of the records."""

import numpy as np
import pytest

from purifold.report import figures


def drawn(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}


def test_a_panel_a_defense_with_a_curve_a_knowledge_level_from_the_clean_accuracy_on(records):
    panels = figures.against_budget(records).axes
    assert [panel.get_title() for panel in panels] == ["none", "vae", "jpeg (unreliable)"]
    assert drawn(panels[1]) == {
        "oblivious": ([0.0, 0.1, 0.3], [1.0, 0.8, 0.6]),
        "adaptive": ([0.0, 0.1, 0.3], [1.0, 0.4, 0.01]),
    }


def test_the_band_is_the_wilson_interval(records):
    band = figures.against_budget(records).axes[1].collections[0].get_paths()[0].vertices
    at = band[np.isclose(band[:, 0], 0.1)][:, 1]
    assert (at.min(), at.max()) == pytest.approx((0.7112, 0.8666), abs=1e-4)  # Wilson, 80 of 100


def test_the_difference_is_on_the_axis_of_the_second_figure(records):
    panels = figures.against_difference(records, "pgd").axes
    assert drawn(panels[1])["oblivious"][0] == pytest.approx([0.0, 0.05, 0.15])
