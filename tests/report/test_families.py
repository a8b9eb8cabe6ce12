"""An attack tried on two surfaces counts with both, image by image."""

from dataclasses import replace

from purifold.evaluation.curves import against_relative_l2
from purifold.report.tables import by_attack


def test_the_accuracy_under_an_attack_is_the_worst_case_over_its_surfaces(records):
    (bare, vae, _) = records
    outcomes = []
    for outcome in vae.outcomes:
        first = outcome.attacked["pgd"]
        mirrored = replace(first, predictions=first.predictions.flip(0), rounded=first.rounded.flip(0))
        outcomes.append(replace(outcome, attacked={"pgd": first, "pgd+eot5": mirrored}))
    both = replace(vae, outcomes=tuple(outcomes))
    # 80 first and 80 last of 100 images survive: 60 survive both
    rows = by_attack([bare, both]).splitlines()
    assert "| 60.0 [" in rows[2]
    assert len([row for row in rows if row.startswith("| pgd")]) == 2
    oblivious = [outcome for outcome in both.outcomes if outcome.knowledge == "oblivious"]
    assert [point.y.successes for point in against_relative_l2(oblivious, "pgd")] == [100, 60, 20]
