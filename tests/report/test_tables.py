"""Tables hold the numbers of the records."""

from dataclasses import replace

from purifold.evaluation.intervals import Proportion
from purifold.report.lines import lines, percent, short
from purifold.report.tables import by_attack, cells, markdown, terminal


def test_a_share_is_written_with_its_wilson_interval():
    # Newcombe, 1998, Statistics in Medicine 17:857, table I, method 3: 81 of 263 is 0.2553 to 0.3662
    assert percent(Proportion(81, 263)) == "30.8 [25.5, 36.6]"
    assert short(Proportion(81, 263)) == "30.8 (25-37)"


def test_the_worst_case_is_per_image_over_what_the_attackers_know(records):
    vae = [line for line in lines(records) if line.defense == "vae"]
    assert [line.worst.sum().item() for line in vae] == [40, 1]


def test_every_oblivious_number_has_its_adaptive_twin_on_the_line(records):
    rows = markdown(records).splitlines()
    assert rows[0] == "| defense | epsilon | clean | oblivious | adaptive | worst case | checks |"
    (line,) = (row for row in rows if row.startswith("| vae | 0.1 "))
    assert [cell.split()[0] for cell in line.strip("| ").split("| ")] == [
        "vae", "0.1", "100.0", "80.0", "40.0", "40.0", "passed",
    ]  # fmt: skip
    assert all(row.endswith("failed |") for row in rows if row.startswith("| jpeg"))


def test_a_budget_in_l2_says_so(records):
    line, *_ = found = lines(records)
    assert [cells(replace(line, norm=norm), found)[1] for norm in ("linf", "l2")] == ["0.1", "0.1 L2"]


def test_the_terminal_table_fits_eighty_columns(records):
    import io

    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=80).print(terminal(records, "A study"))
    assert "…" not in out.getvalue()
    assert "40.0 (30-50)" in out.getvalue()


def test_by_attack_gives_the_difference_of_the_images_that_all_defenses_share(records):
    rows = by_attack(records).splitlines()
    assert rows[0].count("adaptive") == rows[0].count("oblivious") == 3
    assert rows[2].startswith("| pgd | 0.1 | 0.050 | 8.0 [4.1, 15.0] | 8.0 [4.1, 15.0] | 80.0 ")
