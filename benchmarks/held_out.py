"""What searches for a weight share: systems trained in the study's store, asked about validation images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.engine.compose import attack
from purifold.engine.local import run
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.system import System
from purifold.engine.store import Store
from purifold.evaluation.evaluate import evaluate
from purifold.evaluation.intervals import Proportion
from purifold.threat import Norm, ThreatModel

HELD = 2_000
"""Validation images that decide, at most."""
NORM: Norm = "linf"
SEED = 0


def trained(systems: Sequence[System], store: Store, here: Resources) -> Workbench:
    """A bench on which they can be built."""
    steps = [step for system in systems for step in (system.classifier, *system.autoencoders)]
    run(steps, store, here)
    return Workbench(
        folder=Path(),
        scratch_at=Path(),
        resources=here,
        fetched={step.key: store.fetch(step) for step in steps},
        report=lambda share, note: None,
    )


def kept(
    system: Defended, held: Split, attacks: Sequence[str], epsilons: Sequence[float]
) -> Mapping[str, Proportion]:
    """Images that one draw keeps right, clean, then by budget, and by attack where there are several.

    The attacker does not know the defense.
    """
    found = {}
    for epsilon in epsilons:
        crafted = [attack(text) for text in attacks]
        threat = ThreatModel(NORM, epsilon)
        outcome = evaluate(system, held, crafted, threat, "oblivious", seed=SEED, draws=1)
        found.setdefault("clean", outcome.single_accuracy())
        for one in crafted:
            name = f"{epsilon:g}" if len(attacks) == 1 else f"{one.label} {epsilon:g}"
            found[name] = outcome.single_accuracy(one.label)
    return found
