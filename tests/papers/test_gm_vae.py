"""The study of `gm-vae`: the printed numbers stand in their cells."""

import pytest

from purifold.papers import gm_vae
from purifold.papers.gm_vae_cells import FASHION, MNIST, PLAIN, RATED, REFUSING
from purifold.papers.gm_vae_printed import text
from purifold.papers.refusals import RefusalTable, SecondLookTable


def test_rows_of_the_paper_add_up_to_all_images():
    for data in text()["clean"].values():
        for row in data.values():
            assert row["accuracy"] + row["error"] + row["rejection"] == pytest.approx(100, abs=0.02)


def test_models_of_constant_entropy_and_the_plain_classifier_have_rows_in_their_table(
    gm_vae_exhibits,
):
    table = gm_vae_exhibits["table-1-digits"]
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


def test_the_second_look_has_clean_and_attacked_images(gm_vae_exhibits):
    table = gm_vae_exhibits["table-2"]
    assert isinstance(table, SecondLookTable)
    assert [row.title for row in table.rows] == ["clean", "fgsm at 0.06", "fgsm at 0.3"]
    for row in table.rows:
        assert {row.never.count, row.always.count, row.refusing.count} == {row.never.count}
        assert row.never.craft == row.always.craft == row.refusing.craft
    assert [row.every and row.every.craft for row in table.rows] == [
        None,
        *(row.never.craft for row in table.rows[1:]),
    ]
    budgets = {title: experiment.epsilons for title, experiment in table.followed}
    assert budgets == {
        "our descent": (0.06, 0.3),
        "our descent, every image looked at": (0.06, 0.3),
        "equation 9": (0.3,),
    }
