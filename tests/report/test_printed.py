"""A paper's numbers stand beside ours at the same relative L2 difference."""

from purifold.papers.base import Paper
from purifold.papers.library import paper
from purifold.report.printed import beside_printed


def test_ours_is_read_off_our_curve_between_the_budgets(records, results, tmp_path, monkeypatch):
    from purifold.papers.base import Printed

    # bounds are the mean of those of 80 and 60, and of 40 and 1, of 100 images
    # vae, oblivious: 100 % at 0, 80 % at 0.05 (epsilon 0.1), 60 % at 0.15; adaptive: 40 % and 1 %
    vae = {"attack": "pgd", "defense": "vae"}
    cells = (Printed(relative_l2=0.1, accuracy=0.75, **vae), Printed(relative_l2=0.2, accuracy=0.5, **vae))
    monkeypatch.setattr(Paper, "printed", lambda self: cells)
    beside_printed(paper("foundation"), results(records), tmp_path)
    text = (tmp_path / "printed.md").read_text()
    assert "| pgd | 0.100 | vae | 75.0 | 70.0 [60.7, 77.9] | -5.0 | 20.5 [15.6, 27.6] |" in text
    assert "| pgd | 0.200 | vae | 50.0 |  |  |  |" in text  # beyond our largest budget nothing is made up


def test_a_paper_that_prints_no_numbers_gets_no_page(records, results, tmp_path):
    beside_printed(paper("ae-robustness"), results(records), tmp_path)
    assert not (tmp_path / "printed.md").exists()
