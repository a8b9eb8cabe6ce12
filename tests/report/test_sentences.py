"""The closing sentences say what the records say."""

from dataclasses import replace

import torch

from purifold.evaluation.check import OF_OUTCOMES
from purifold.report.sentences import meaning


def test_the_sentences_are_about_the_smallest_budget_that_breaks_the_bare_classifier(records):
    found = meaning(records)
    assert "linf 0.1" in found.oblivious
    assert "0.3" not in found.oblivious


def test_the_best_defense_is_named_for_each_attacker(records):
    found = meaning(records)
    assert "the defense, vae keeps 80.0 % [71.1, 86.7]" in found.oblivious  # Wilson, 80 of 100
    assert "bare classifier keeps 8.0 %" in found.oblivious
    assert "together, vae keeps 40.0 %" in found.adaptive


def test_of_several_defenses_the_best_is_called_so(records, record):
    beside = record("ae", {("oblivious", 0.1): 81, ("adaptive", 0.1): 12})
    found = meaning([*records, beside])
    assert "the defense, the best, ae, keeps 81.0 %" in found.oblivious
    assert "together, the best, vae, keeps 40.0 %" in found.adaptive


def test_the_gain_over_the_bare_classifier_is_tested_on_the_same_images(records, record):
    # 32 images survive with vae alone, none with the bare classifier alone: p = 2 / 2^32
    assert "more than the bare classifier (paired test, p = 4.7e-10)" in meaning(records).adaptive
    # one image more, p = 1
    close = record("jpeg", {("oblivious", 0.1): 90, ("adaptive", 0.1): 9})
    found = meaning([record("none", {("oblivious", 0.1): 8, ("adaptive", 0.1): 8}), close])
    assert "not measurably more or less than the bare classifier (paired test, p = 1)" in found.adaptive


def test_what_a_defense_costs_is_told_of_clean_images_and_of_every_budget(record):
    bare = record("none", {("adaptive", 0.05): 90, ("adaptive", 0.1): 8})
    vae = record("vae", {("adaptive", 0.05): 80, ("adaptive", 0.1): 40})
    ae = record("ae", {("adaptive", 0.05): 70, ("adaptive", 0.1): 7})  # one image fewer is no difference
    assert meaning([bare, vae, ae]).cost == (
        "Fewer images than without a defense are kept (paired tests, p < 0.05): "
        "in the worst case at linf 0.05 by vae, ae."
    )
    clean = torch.ones_like(vae.outcomes[0].clean).index_fill(0, torch.arange(90), 0)
    blurred = replace(vae, outcomes=tuple(replace(outcome, clean=clean) for outcome in vae.outcomes))
    told = meaning([bare, blurred]).cost
    assert "p < 0.05): on clean images by vae; in the worst case at linf 0.05 by vae." in told


def test_no_cost_is_told_where_there_is_none_or_nothing_stands_beside(records):
    assert meaning(records).cost.startswith("No defense keeps measurably fewer images than none")
    assert meaning(records[:1]).cost == meaning(records[1:]).cost == ""
    assert len(list(meaning(records))) == 4
    assert len(list(meaning(records[1:]))) == 3


def test_a_defense_whose_checks_failed_is_never_the_best(records):
    found = meaning([records[0], records[2]])
    assert "jpeg" not in found.oblivious + found.adaptive
    assert "jpeg" in found.caution


def test_a_failed_check_is_said_aloud(records):
    assert "checks failed for jpeg" in meaning(records).caution
    assert "proves nothing" in meaning(records[:2]).caution
    assert "100 images of digits" in meaning(records).caution


def test_systems_that_no_check_attacked_are_counted_aloud(records):
    assert "no check made an attack" not in meaning(records).caution
    kept = replace(records[1].checks[0], name=OF_OUTCOMES[0])
    reduced = replace(records[1], checks=(kept,))
    assert "on 1 of 2 systems no check made an attack" in meaning([records[0], reduced]).caution


def test_without_an_adaptive_attacker_nothing_is_called_robust(records):
    oblivious = [
        replace(record, outcomes=tuple(o for o in record.outcomes if o.knowledge == "oblivious"))
        for record in records
    ]
    assert "nothing here says it is robust" in meaning(oblivious).adaptive
