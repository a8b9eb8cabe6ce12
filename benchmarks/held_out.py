"""What searches for a weight share: systems trained in the study's store, asked about validation images."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.choice import write_choice

from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.engine.compose import attack
from purifold.engine.local import run
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.system import System
from purifold.engine.store import Store
from purifold.evaluation.evaluate import evaluate
from purifold.evaluation.intervals import Proportion
from purifold.report.lines import percent
from purifold.threat import Norm, ThreatModel

HELD = 2_000
"""Validation images that decide, at most, where nothing else is said."""
NORM: Norm = "linf"
SEED = 0


def parser(description: str | None, out: str) -> argparse.ArgumentParser:
    """The options that searches share; `out` is where the JSON goes by itself."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--data", default="mnist")
    found.add_argument("--data-root", help="folder of data sets; else from the Hub")
    found.add_argument("--scale", default="cpu", choices=list(SCALES))
    found.add_argument("--store", default="runs/store", help="the study's")
    found.add_argument("--out", type=Path, help=f"JSON file; by itself {out}")
    return found


def search(
    systems: Mapping[float, System],
    attacks: Sequence[str],
    epsilons: Sequence[float],
    out: Path,
    *,
    store: Store,
    here: Resources,
    held: int = HELD,
    **about: object,
) -> None:
    """Trains, asks, prints, and writes which weight keeps most images, of equals the largest.

    Args:
        systems: By their weight; of one data set.
        attacks: As `purifold.engine.compose.attack` takes them; clean images count as one more.
        epsilons: Budgets.
        out: JSON file.
        store: Of the trainings.
        here: Resources of this machine.
        held: Validation images that decide, at most.
        about: What else the file says of the search.
    """
    bench = _trained(tuple(systems.values()), store, here)
    images = next(iter(systems.values())).data.part("validation", here, held)
    tried = {}
    for weight, system in systems.items():
        tried[weight] = _kept(system.build(bench), images, attacks, epsilons)
        shares = ", ".join(f"{name}: {percent(share)}" for name, share in tried[weight].items())
        print(f"{weight:g} keeps, in percent, {shares}", flush=True)
    write_choice(
        out,
        max(tried, key=lambda weight: (sum(share.successes for share in tried[weight].values()), weight)),
        tried,
        seed=SEED,
        attacks=list(attacks),
        norm=NORM,
        images={"name": images.name, "count": len(images), "hash": images.hash},
        **about,
    )


def _trained(systems: Sequence[System], store: Store, here: Resources) -> Workbench:
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


def _kept(
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
