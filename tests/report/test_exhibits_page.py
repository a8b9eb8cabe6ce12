"""The page of a paper: every figure and table once, with its caption, and a table for each classifier."""

import re
from dataclasses import replace

import pytest

from purifold.papers.base import Study
from purifold.papers.claim import Claim, Contrast
from purifold.papers.exhibit import AccuracyFigure, Curve, Panel
from purifold.papers.refusals import KnownTable
from purifold.papers.table import Section, TransferTable
from purifold.report.exhibits_page import counted, write_exhibits
from purifold.report.refusals import known_remark

NETWORKS = ("small-cnn", "mlp")


@pytest.fixture(scope="module")
def systems(composed):
    question = {"defenses": ("none",), "attacks": ("pgd",), "epsilons": (0.1,)}
    return [composed(classifier=name, **question)[0] for name in NETWORKS]


@pytest.fixture
def written(systems, record, results, tmp_path):
    """Writes the page of a figure, a table and a claim on two classifiers; gives the folder."""

    def write(title):
        found = {}
        for experiment, kept, draws in zip(systems, (60, 40), (1, 7), strict=True):
            made = record("none", {(level, 0.1): kept for level in ("oblivious", "transfer", "adaptive")})
            classifier = {**made.classifier, "network": experiment.system.classifier.network}
            found[experiment.name] = replace(made, title=title, classifier=classifier, draws=draws)
        curves = tuple(Curve(label=experiment.name, experiment=experiment) for experiment in systems)
        panels = (Panel(title="", curves=curves),)
        figure = AccuracyFigure(name="fig-1", caption="A figure", protocol="pgd", panels=panels, columns=1)
        section = Section(title="digits", epsilon=0.1, experiments=tuple(systems))
        table = TransferTable(name="table-1", caption="A table", sections=(section,))
        first, second = ((experiment,) for experiment in systems)
        contrast = Contrast(where="both", first=first, second=second, expected="more", epsilons=(0.1,))
        claim = Claim(text="It helps.", protocol="pgd", evidence=(contrast,))
        write_exhibits(Study.of([figure, table], [claim]), results(found), tmp_path)
        return tmp_path

    return write


def test_the_page_holds_each_figure_and_table_once_as_the_files_have_them(written):
    folder = written("A study")
    page = (folder / "report.html").read_text()
    drawing = (folder / "figures" / "fig-1.svg").read_text()
    assert page.count("<svg") == 1
    assert drawing[drawing.index("<svg") :] in page
    assert re.findall(r"<h2>(\S+-\d)</h2>", page) == ["fig-1", "table-1"]
    assert "A figure. Solid: accuracy under the attack of the paper alone (pgd, sampling off)" in page
    assert (folder / "table-1.md").read_text().startswith("# A table\n")


def test_what_a_table_means_stands_above_it(systems, record, results, tmp_path):
    table = KnownTable(name="known", caption="A table", rows=(("digits", systems[0]),))
    made = {systems[0].name: record("none", {("adaptive", 0.1): 60})}
    page = write_exhibits(Study.of([table], ()), results(made), tmp_path).read_text()
    said = known_remark(table, results(made))
    assert f"<p>{said}</p>" in page
    assert f"\n\n{said}\n\n" in (tmp_path / "known.md").read_text()


def test_classifiers_of_one_data_set_have_a_table_each(written):
    table = (written("A study") / "table.md").read_text()
    assert re.findall(r"## (.*)", table) == ["digits, small-cnn", "digits, mlp"]
    small, mlp = table.split("## ")[1:]
    assert "| 60.0 [50.2, 69.1] |" in small  # Wilson, 60 of 100
    assert "| 40.0 [30.9, 49.8] |" in mlp
    assert "is right on 98.00 % of all 100 test images" in small


def test_a_table_says_how_many_images_each_system_saw(record):
    made = record("none", {("adaptive", 0.1): 60})
    few, many = (replace(made, data={**made.data, "count": count}) for count in (5, 20))
    assert (counted([many, many]), counted([many, few])) == ("20 images", "5 to 20 images")


def test_the_verdicts_are_printed_and_written(written, capsys):
    folder = written("A study")
    assert "It helps. " in capsys.readouterr().out
    claims = (folder / "claims.md").read_text()
    assert "# Claims of `A study`" in claims
    assert "60.0 % against 40.0 %" in claims
    assert "Test images attacked: 100 of digits." in claims


def test_the_most_draws_of_any_record_are_told(written):
    assert "stochastic systems are judged over 7 draws" in (written("A study") / "report.html").read_text()


@pytest.mark.parametrize(("title", "warned"), [("A (smoke scale)", True), ("A (cpu scale)", False)])
def test_a_smoke_run_says_that_it_means_nothing(written, title, warned):
    assert ("no number here means anything" in (written(title) / "report.html").read_text()) == warned
