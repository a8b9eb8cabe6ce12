"""Lines of the main table sum up outcomes image by image."""

from dataclasses import replace

import torch

from purifold.report.lines import lines


def test_attackers_with_several_substitutes_count_together(record):
    made = record("vae", {("oblivious", 0.1): 90, ("transfer", 0.1): 80, ("adaptive", 0.1): 10})
    blind, first, aware = made.outcomes
    # from a second substitute: the last 70 images survive instead of the first 80
    attacked = first.attacked["pgd"]
    moved = replace(attacked, predictions=(torch.arange(100) < 30).long()[:, None])
    second = replace(first, attacked={"pgd": moved}, substitute="mlp")
    (line,) = lines([replace(made, outcomes=(blind, replace(first, substitute="cnn"), second, aware))])
    assert line.robust["transfer"].successes == 50
    assert line.robust["adaptive"].successes == 10
    assert int(line.worst.sum()) == 0  # the first 10 and the last 70 have no image in common


def test_a_line_says_how_far_its_system_was_checked(record):
    made = record("vae", {("adaptive", 0.1): 10})
    (check,) = made.checks
    for checks, said in (
        ((check,), "passed"),
        ((replace(check, name="budget kept"),), "outcomes only"),
        ((replace(check, name="budget kept", passed=False),), "failed"),
    ):
        assert lines([replace(made, checks=checks)])[0].checks == said
