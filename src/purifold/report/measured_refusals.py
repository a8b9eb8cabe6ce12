"""The points of exhibits of systems that may refuse, as JSON."""

from dataclasses import asdict
from typing import Any

import numpy as np

from purifold.defenses.base import REJECTED
from purifold.engine.steps.alarms import read_alarms
from purifold.engine.steps.decisions import Decisions, read_decisions
from purifold.engine.steps.flood import Flood, read_flooded
from purifold.engine.steps.forgery import Forgery, read_forged, read_forged_pictures
from purifold.engine.steps.frechet import read_frechet
from purifold.engine.steps.samples import read_samples
from purifold.engine.steps.selection import Selection, read_selection
from purifold.engine.steps.unseen import Unseen, read_accepted
from purifold.engine.store import Store
from purifold.papers.refusals import (
    AlarmsTable,
    CoverageFigure,
    ForgeryFigure,
    FrechetTable,
    RefusalTable,
    SamplesFigure,
    SecondLook,
    SecondLookTable,
    SoughtTable,
)
from purifold.report.packed import packed

POINTS = 400
"""Points of a curve that are kept, evenly over the coverages."""


def of_refusals(exhibit: RefusalTable, store: Store) -> list[dict[str, Any]]:
    """For each row the counts of the classifier alone and of the whole system."""
    return [
        {"title": row.title, "bare": _counts(row.bare, store), "refusing": _counts(row.refusing, store)}
        for row in exhibit.rows
    ]


def of_second_looks(exhibit: SecondLookTable, store: Store) -> list[dict[str, Any]]:
    """For each row how many were rejected, and what second looks made of them."""
    return [{"title": row.title, **_second_look(row, store)} for row in exhibit.rows]


def of_sought(exhibit: SoughtTable, store: Store) -> list[dict[str, Any]]:
    """For each row what was tried and what the attacker got."""
    return [{"system": name, **_got(step, store)} for name, step in exhibit.rows]


def of_coverage(exhibit: CoverageFigure, store: Store) -> list[dict[str, Any]]:
    """For each panel its curves by label."""
    return [
        {"title": title, "curves": {label: _curve(step, store) for label, step in curves}}
        for title, curves in exhibit.panels
    ]


def of_forgeries(exhibit: ForgeryFigure, store: Store) -> list[dict[str, Any]]:
    """For each row its pictures."""
    return [{"label": label, **_pictures(step, store)} for label, step in exhibit.rows]


def of_alarms(exhibit: AlarmsTable, store: Store) -> list[dict[str, Any]]:
    """For each row the counts."""
    return [
        {"title": title, "submitted": images, **asdict(read_alarms(store.fetch(step)))}
        for title, images, step in exhibit.rows
    ]


def of_frechet(exhibit: FrechetTable, store: Store) -> list[dict[str, Any]]:
    """For each row its distances."""
    return [
        {
            "title": title,
            "reader": step.reader.network,
            "seed": step.seed,
            **asdict(read_frechet(store.fetch(step))),
        }
        for title, step, _ in exhibit.rows
    ]


def of_samples(exhibit: SamplesFigure, store: Store) -> list[dict[str, Any]]:
    """For each block its pictures."""
    return [
        {"title": title, "seed": step.seed, "images": packed(read_samples(store.fetch(step)))}
        for title, step in exhibit.blocks
    ]


def _counts(step: Decisions, store: Store) -> dict[str, Any]:
    found = read_decisions(store.fetch(step))
    shares = {"right": found.right, "wrong": found.wrong, "rejected": found.rejected}
    counts = {name: share.successes for name, share in shares.items()}
    return {"system": step.system.defense, "images": len(found.labels), "seed": step.seed, **counts}


def _second_look(row: SecondLook, store: Store) -> dict[str, Any]:
    never, refusing, always, equation = (
        read_decisions(store.fetch(step)) for step in (row.never, row.refusing, row.always, row.equation)
    )
    asked = never.answers == REJECTED
    return {
        "images": len(asked),
        "rejected": int(asked.sum()),
        "right": int((always.answers == always.labels)[asked].sum()),
        "right_by_equation": int((equation.answers == equation.labels)[asked].sum()),
        "still_rejected": int((refusing.answers == REJECTED)[asked].sum()),
        "right_of_the_others": int((refusing.answers == refusing.labels)[asked].sum()),
        "all_right": always.right.successes,
        "every_right": row.every and read_decisions(store.fetch(row.every)).right.successes,
    }


def _got(step: Unseen | Flood | Forgery, store: Store) -> dict[str, Any]:
    """What was sought, how often it was tried, and how often it was got."""
    folder = store.fetch(step)
    if isinstance(step, Unseen):
        source = step.source if isinstance(step.source, str) else f"images of {step.source.name}"
        accepted = read_accepted(folder)
        return {"sought": f"{source} accepted", "tried": accepted.trials, "got": accepted.successes}
    if isinstance(step, Flood):
        flooded = read_flooded(folder)
        return {"sought": f"refused, {step.threat}", "tried": flooded.accepted, "got": flooded.refused}
    forged = read_forged(folder)
    start = "noise forged to be a class" if step.rubbish else "another class, by equation 10"
    got = {"sought": start, "tried": forged.tried, "got": forged.target + forged.wrong}
    return {**got, "mean_l2": forged.distance}


def _curve(step: Selection, store: Store) -> dict[str, Any]:
    found = read_selection(store.fetch(step))
    rows = np.unique(np.linspace(0, len(found.risk) - 1, min(POINTS, len(found.risk))).round().astype(int))
    kept = {name: getattr(found, name)[rows].tolist() for name in ("coverage", "risk")}
    return {"area": found.area, "images": len(found.risk), "system": step.system.defense, **kept}


def _pictures(step: Forgery, store: Store) -> dict[str, Any]:
    folder = store.fetch(step)
    found = read_forged_pictures(folder)
    numbers = {name: found[name].tolist() for name in ("labels", "targets", "answers")}
    images = {name: packed(found[name]) for name in ("images", "forged", "decoded")}
    return {**asdict(read_forged(folder)), **numbers, **images}
