"""What is said of a filter alone and behind a VAE, out of records whose numbers are known."""

from dataclasses import replace

import pytest

from purifold.papers.difference import FilterTable
from purifold.report.exhibit_tables import listed
from purifold.report.filtering import compared, paragraph

PAIR = ("vae", "bare vae")


def filter_table(systems, unfiltered):
    return FilterTable(
        name="filter",
        caption="c",
        attack="pgd",
        epsilon=0.1,
        bare=systems["none"],
        alone=systems["filter"],
        systems={name: systems[name] for name in ("bare vae", "vae")},
        unfiltered=unfiltered,
    )


def test_the_paragraph_says_the_filter_s_part_and_what_an_attacker_leaves(systems, kept):
    text = paragraph(filter_table(systems, PAIR), kept)
    assert "under pgd at linf 0.1, the classifier alone keeps 20.0 % [13.3, 28.9] of the images" in text
    assert "the filter alone 50.0 % [40.4, 59.6] and the best VAE, vae, 70.0 % [60.4, 78.1]" in text
    # Agresti and Min: 30/102 -+ 1.96 sqrt((31/102 - (30/102)^2) / 102)
    assert (
        "the filter on its own changes that by +30.0 points [+20.4, +38.5], the VAE by +50.0 points [" in text
    )
    assert "Without its filter vae keeps 60.0 % [50.2, 69.1] instead of 70.0 % [60.4, 78.1]" in text
    assert "the filter adds +10.0 points [" in text
    assert (
        "classifier alone keeps 20.0 % [13.3, 28.9], the filter 15.0 % [9.3, 23.3] and vae 35.0 % "
        "[26.4, 44.7], which is more than" in text
    )
    assert "p = 6.1e-05" in text  # 15 images to none: 2 / 2^15


def test_the_best_vae_is_the_one_that_looks_so_to_who_does_not_know_it_and_has_its_filter(
    systems, kept, record
):
    kept[systems["bare vae"].name] = record("bare", {("oblivious", 0.1): 90, ("adaptive", 0.1): 80})
    assert "the best VAE, vae, 70.0 %" in paragraph(filter_table(systems, PAIR), kept)
    assert "the best VAE, bare vae, 90.0 %" in paragraph(filter_table(systems, None), kept)


@pytest.mark.parametrize(
    ("vae", "bare", "said"),
    [(5, 20, "less than"), (20, 20, "not measurably more or less than"), (35, 20, "more than")],
)
def test_the_paragraph_says_which_way_a_difference_goes(systems, kept, record, vae, bare, said):
    for name, survivors in (("vae", vae), ("none", bare)):
        kept[systems[name].name] = record(name, {("oblivious", 0.1): 70, ("adaptive", 0.1): survivors})
    text = paragraph(filter_table(systems, PAIR), kept)
    assert f"which is {said} the classifier alone" in text


def test_without_a_pair_nothing_is_said_of_one(systems, kept):
    text = paragraph(filter_table(systems, None), kept)
    assert "Without its filter" not in text


def test_numbers_that_are_not_to_be_relied_on_are_named_in_table_and_paragraph(systems, kept):
    exhibit = filter_table(systems, PAIR)
    assert "do not rely" not in paragraph(exhibit, kept)
    kept[systems["vae"].name] = replace(kept[systems["vae"].name], checks=())
    assert paragraph(exhibit, kept).endswith("checks failed for vae: do not rely on these numbers.")
    assert compared(exhibit, kept).rows[3][0] == "vae (unreliable)"


def test_a_row_is_a_system_clean_and_by_both_attackers(systems, kept, results):
    (table,) = listed(filter_table(systems, None), results(kept))
    shares = [[cell.partition(" [")[0] for cell in row] for row in table.rows]
    assert table.title == "pgd at linf 0.1"
    assert shares == [
        ["classifier alone", "100.0", "20.0", "20.0", "20.0"],
        ["filter alone", "100.0", "50.0", "15.0", "15.0"],
        ["bare vae", "100.0", "60.0", "5.0", "5.0"],
        ["vae", "100.0", "70.0", "35.0", "35.0"],
    ]
    assert table.rows[3][2] == "70.0 [60.4, 78.1]"


def test_the_worst_case_is_over_both_attackers(systems, kept, record):
    kept[systems["vae"].name] = record("vae", {("oblivious", 0.1): 10, ("adaptive", 0.1): 35})
    row = compared(filter_table(systems, None), kept).rows[3]
    assert [cell.partition(" [")[0] for cell in row] == ["vae", "100.0", "10.0", "35.0", "10.0"]


def test_a_vae_of_fewer_images_says_so_and_is_not_compared_with_the_others(systems, kept):
    exhibit = filter_table(systems, None)
    fewer = replace(systems["vae"], count=3)
    found = replace(exhibit, systems={**exhibit.systems, "vae": fewer})
    assert "the best VAE, vae, 70.0 %" in paragraph(exhibit, kept)
    assert "the best VAE, bare vae, 60.0 %" in paragraph(found, kept)
    assert compared(found, kept).rows[3][0] == "vae, 3 images"
