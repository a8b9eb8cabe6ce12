"""Checks of outcomes alone: they cost nothing and see every image."""

from collections.abc import Sequence

from purifold.evaluation.check import OF_OUTCOMES, Verdict, check
from purifold.evaluation.intervals import Proportion, probably_more
from purifold.evaluation.outcome import Outcome
from purifold.threat import ROUNDING, ThreatModel


@check(OF_OUTCOMES[0], why="an attack or its scale is wrong: what it broke was not in the threat model")
def budget_kept(outcomes: Sequence[Outcome]) -> Verdict:
    """Whether every adversarial image lies within the budget of its outcome."""
    wanted = f"no image further than epsilon + {ROUNDING:g}"
    found = [
        (outcome.threat, label, attacked.distance(outcome.threat.norm))
        for outcome in outcomes
        for label, attacked in outcome.attacked.items()
    ]
    if not found:
        return Verdict(None, "no outcome was given", wanted)
    left = [
        f"{label} left {threat} on {Proportion.of(~(distance <= _slack(threat)))}"
        for threat, label, distance in found
        if not (distance <= _slack(threat)).all()
    ]
    tried = sum(len(distance) for _, _, distance in found)
    return Verdict(not left, "; ".join(left) or f"kept on all {tried} adversarial images", wanted)


@check(
    OF_OUTCOMES[1],
    why="the adaptive attack is too weak or its gradient is masked: it could always do as the oblivious one",
)
def adaptive_beats_oblivious(outcomes: Sequence[Outcome]) -> Verdict:
    """Whether knowing the defense leaves an attacker no worse off than not knowing it."""
    wanted = "no more images robust under adaptive knowledge (exact one-sided test of the same images, 5 %)"
    adaptive, oblivious = (
        {(outcome.threat, outcome.images): outcome for outcome in outcomes if outcome.knowledge == knowledge}
        for knowledge in ("adaptive", "oblivious")
    )
    shared = [key for key in adaptive if key in oblivious]
    if not shared:
        return Verdict(None, "no outcomes of both knowledge levels at one budget", wanted)
    passed, found = True, []
    for key in shared:
        aware, blind = adaptive[key].robust(), oblivious[key].robust()
        passed = passed and not probably_more(aware, blind)
        found.append(f"{key[0]}: {Proportion.of(aware)} against {Proportion.of(blind)}")
    return Verdict(passed, "; ".join(found), wanted)


def _slack(threat: ThreatModel) -> float:
    return threat.epsilon + ROUNDING * max(1.0, threat.epsilon)
