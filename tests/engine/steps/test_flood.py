"""Floods: a wide budget makes a system refuse, a tiny one does not."""

from purifold.engine.steps.flood import read_flooded


def test_a_wide_budget_makes_the_system_refuse_and_a_tiny_one_does_not(refusing):
    found, _, _ = refusing
    far, near = read_flooded(found["far"]), read_flooded(found["near"])
    assert far.images == near.images == 40
    assert far.accepted == near.accepted > 0
    assert near.refused == 0
    assert far.refused > 0.9 * far.accepted
