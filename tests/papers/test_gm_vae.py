"""The study of `gm-vae`: the printed numbers stand in their cells."""

import pytest

from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers import gm_vae
from purifold.papers.gm_vae_cells import DESCENTS, FASHION, FREE, MNIST, PLAIN, RATED, REFUSING
from purifold.papers.gm_vae_printed import text
from purifold.papers.refusals import ForgeryFigure, RefusalTable, SecondLookTable, SoughtTable


@pytest.fixture(scope="module")
def exhibits():
    return {found.name: found for found in gm_vae.GM_VAE.study(SCALES["smoke"], Resources(), 0).exhibits}


def test_rows_of_the_paper_add_up_to_all_images():
    for data in text()["clean"].values():
        for row in data.values():
            assert row["accuracy"] + row["error"] + row["rejection"] == pytest.approx(100, abs=0.02)


def test_models_of_constant_entropy_and_the_plain_classifier_have_rows_in_their_data_sets_table(exhibits):
    table = exhibits["table-1-digits"]
    assert isinstance(table, RefusalTable)
    assert [row.defense for row in table.rows] == [REFUSING, RATED] * 2 + [PLAIN]
    assert all(row.experiment.system.defense == row.defense for row in table.rows)
    assert all(row.refusing.system == row.experiment.system for row in table.rows)
    assert {row.experiment.system.data.name for row in table.rows} == {"digits"}
    assert table.missing == ()


def test_the_rows_of_absent_data_stand_where_other_data_stands_in_for_it():
    table = gm_vae._clean(FASHION, ())
    assert [title for title, _ in table.missing] == ["svhn, supervised", "svhn, semi-supervised"]
    assert table.missing[0][1]["error"] == pytest.approx(0.0458)
    assert gm_vae._clean(MNIST, ()).missing == ()


def test_the_second_look_has_clean_and_attacked_images(exhibits):
    table = exhibits["table-2"]
    assert isinstance(table, SecondLookTable)
    assert [row.title for row in table.rows] == ["clean", "fgsm at 0.06", "fgsm at 0.3"]
    for row in table.rows:
        assert {row.never.count, row.always.count, row.refusing.count} == {row.never.count}
        assert row.never.craft == row.always.craft == row.refusing.craft


def test_the_figure_shows_the_forgeries_that_the_table_counts(exhibits):
    table, figure = exhibits["sought"], exhibits["fig-4"]
    assert isinstance(table, SoughtTable)
    assert isinstance(figure, ForgeryFigure)
    assert {step for _, step in figure.rows} <= {step for _, step in table.rows}
    assert {step.rubbish for _, step in figure.rows} == {True, False}
    assert all(descent.nearness == 0 for descent in FREE)
    assert DESCENTS[0].nearness == 1
