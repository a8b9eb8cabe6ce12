"""What exhibits over the difference of images need: every experiment that stands in them, in their order."""

import pytest

from purifold.papers.difference import DifferenceFigure, DifferencePanel, DifferenceTable, FilterTable
from purifold.papers.exhibit import Curve, Panel


@pytest.fixture(scope="module")
def systems(composed):
    defenses = ("none", "blur", "jpeg", "vae")
    return tuple(composed(defenses=defenses, attacks=("fgsm",), epsilons=(0.1,)))


def panel(attack, *experiments):
    curves = tuple(Curve(label=str(place), experiment=each) for place, each in enumerate(experiments))
    return DifferencePanel(attack=attack, panel=Panel(title=attack, curves=curves))


def test_a_figure_needs_the_curves_of_all_its_panels(systems):
    none, blur, jpeg, _ = systems
    figure = DifferenceFigure(
        name="f", caption="c", panels=(panel("fgsm", none, blur), panel("pgd", none, jpeg)), columns=2
    )
    assert figure.experiments == (none, blur, none, jpeg)


def test_a_table_needs_its_systems(systems):
    none, _, jpeg, vae = systems
    rows = {"vae": vae, "none": none, "jpeg": jpeg}
    table = DifferenceTable(name="t", caption="c", attack="fgsm", systems=rows, printed={})
    assert table.experiments == (vae, none, jpeg)


def test_a_filter_s_table_needs_what_it_compares_with_too(systems):
    none, blur, jpeg, vae = systems
    table = FilterTable(
        name="t",
        caption="c",
        attack="fgsm",
        epsilon=0.1,
        bare=none,
        alone=blur,
        systems={"vae": vae, "jpeg": jpeg},
        unfiltered=None,
    )
    assert table.experiments == (none, blur, vae, jpeg)
