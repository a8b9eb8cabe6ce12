"""Tables of a paper, out of results."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from purifold.engine.steps.system import BARE
from purifold.evaluation.attack_checks import LEFT
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Outcome, worst
from purifold.evaluation.record import Record
from purifold.papers.difference import DifferenceTable, FilterTable
from purifold.papers.exhibit import Exhibit
from purifold.papers.refusals import (
    AlarmsTable,
    FrechetTable,
    KnownTable,
    RefusalFigure,
    RefusalTable,
    SecondLookTable,
    SoughtTable,
)
from purifold.papers.table import (
    LimitTable,
    OriginTable,
    PrintedCell,
    PrintedTable,
    SecondsTable,
    Section,
    TransferTable,
)
from purifold.report.differences import against_printed
from purifold.report.filtering import compared
from purifold.report.lines import UNRELIABLE, families, less_printed, named, percent
from purifold.report.listed import Listed
from purifold.report.paces import Found, accuracy, known, longest
from purifold.report.refusals import (
    against_budget_table,
    alarms_table,
    frechet_table,
    known_table,
    refusal_table,
    second_look_table,
    sought_table,
)
from purifold.report.results import Results

ORIGINS = {"oblivious": "made on classifier", "adaptive": "made on stacked"}
"""Where images were made, by what the attacker knew; a transfer has the name of its classifier. These come
first: the attacker who knows the defense stands beside the one who does not."""
TOO_WEAK = " (too weak)"


def listed(exhibit: Exhibit, results: Results) -> list[Listed]:
    """The sections of a table; none of what is no table."""
    found = LISTED.get(type(exhibit))
    return [] if found is None else found(exhibit, results)


def _printed_table(exhibit: PrintedTable, results: Results) -> list[Listed]:
    found = results.measurements[exhibit.name]
    return [
        _beside_printed(title, cells, paces["paces"], results)
        for (title, cells), paces in zip(exhibit.sections, found, strict=True)
    ]


def _seconds_table(exhibit: SecondsTable, results: Results) -> list[Listed]:
    return [_seconds(results.measurements[exhibit.name])]


def _limit_table(exhibit: LimitTable, results: Results) -> list[Listed]:
    return [_limited(exhibit, results)]


def _origin_table(exhibit: OriginTable, results: Results) -> list[Listed]:
    return [_by_origin(section, results) for section in exhibit.sections]


def _transfer_table(exhibit: TransferTable, results: Results) -> list[Listed]:
    return [_transfer(section, results) for section in exhibit.sections]


def _beside_printed(
    title: str, cells: Sequence[PrintedCell], paces: Mapping[str, Found], results: Results
) -> Listed:
    """A row for each defense and attack: what the paper prints, ours, and what the paper lacks."""
    header = ["attack", "defense", "images", "printed", "ours", "difference"]
    adaptive = ["images, adaptive", "adaptive", "worst case"]
    rows = [
        [_submitted(cell, paces), *_cell(cell, paces[cell.defense], results.records[cell.experiment.name])]
        for cell in cells
    ]
    return Listed(title, [*header, *adaptive], rows)


def _submitted(cell: PrintedCell, paces: Mapping[str, Found]) -> str:
    """The attack, marked where it had no budget to keep and yet left images right without a defense."""
    name, bare = cell.attack or "none", paces.get(BARE)
    free = any(craft.attack.label == name and math.isinf(craft.threat.epsilon) for craft in cell.pace.crafts)
    weak = free and bare is not None and accuracy(bare, name).value > LEFT
    return f"{name}{TOO_WEAK}" if weak else name


def _seconds(rows: Sequence[Mapping[str, Any]]) -> Listed:
    """A row for each defense, as multiples of the first and of the classifier alone; so the paper's."""
    first = rows[0]
    header = ["defense", "seconds", "ratio", "over the classifier alone", "printed seconds", "printed ratio"]
    return Listed(f"{first['images']} images", header, [_timed(row, first) for row in rows])


def _timed(row: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    shown = [row["defense"], f"{row['system']:.3g}", f"{row['system'] / first['system']:.3g}"]
    printed = ["", ""]
    if row["printed"] is not None and first["printed"]:
        printed = [f"{row['printed']:g}", f"{row['printed'] / first['printed']:.4g}"]
    return [*shown, f"{row['system'] / row['classifier']:.3g}", *printed]


def _limited(exhibit: LimitTable, results: Results) -> Listed:
    """A row for each attack and defense: the longest of its systems that fits, and all of it when known."""
    found = results.measurements[exhibit.name]
    header = ["attack", "defense", "what fits", "seconds", "printed", "ours", "difference"]
    images = found[0]["paces"][0]["images"]
    rows = [
        [
            attack,
            *_fitting(attack, row, exhibit.seconds, defense.printed.get(attack)),
            percent(known(results.records[defense.experiment.name])),
        ]
        for attack in exhibit.attacks
        for row, defense in zip(found, exhibit.rows, strict=True)
    ]
    title = f"{exhibit.seconds:g} s for {images} images"
    return Listed(title, [*header, "worst case, whole defense known"], rows)


def _fitting(attack: str, row: Mapping[str, Any], seconds: float, printed: float | None) -> list[str]:
    shown = "" if printed is None else f"{100 * printed:.1f}"
    pace = longest(row["paces"], seconds)
    if pace is None:
        least = min(pace["seconds"] for pace in row["paces"])
        return [row["defense"], "nothing", f"{least:.3g} at least", shown, "", ""]
    ours = accuracy(pace, attack)
    taken = f"{pace['seconds']:.3g}"
    return [row["defense"], pace["system"], taken, shown, percent(ours), _difference(ours, printed)]


def _cell(cell: PrintedCell, pace: Found, record: Record) -> list[str]:
    (adaptive,) = (outcome for outcome in record.outcomes if outcome.knowledge == "adaptive")
    ours = accuracy(pace, cell.attack)
    printed = "" if cell.printed is None else f"{100 * cell.printed:.1f}"
    shares = [_share(adaptive, cell.attack), _share(adaptive, None)] if cell.attack else ["", ""]
    name = cell.defense + (UNRELIABLE if record.unreliable else "")
    shown = [name, str(pace["images"]), printed, percent(ours)]
    return [*shown, _difference(ours, cell.printed), str(len(adaptive)), *shares]


def _difference(ours: Proportion, printed: float | None) -> str:
    return "" if printed is None else less_printed(ours.value, ours.interval()[1], printed)


def _by_origin(section: Section, results: Results) -> Listed:
    """A row for each purifier and attack, and one for its worst case."""
    records = [results.records[experiment.name] for experiment in section.experiments]
    met = dict.fromkeys(
        (outcome.knowledge, outcome.substitute) for record in records for outcome in _at(record, section)
    )
    leading = [(knowledge, "") for knowledge in ORIGINS if (knowledge, "") in met]
    origins = [*leading, *(origin for origin in met if origin not in leading)]
    rows = []
    for record in records:
        outcomes = {(outcome.knowledge, outcome.substitute): outcome for outcome in _at(record, section)}
        first = next(iter(outcomes.values()))
        for attack in (*families(first), None):
            shares = [_share(outcomes[origin], attack) if origin in outcomes else "" for origin in origins]
            rows.append([named(record), attack or "worst case", percent(first.accuracy()), *shares])
    titles = [ORIGINS.get(knowledge, f"made on {network}") for knowledge, network in origins]
    return Listed(section.title, ["purifier", "attack", "clean", *titles], rows)


def _transfer(section: Section, results: Results) -> Listed:
    """The worst case over the attacks for each pair of classifiers, and for the stacked network."""
    records = [results.records[experiment.name] for experiment in section.experiments]
    networks = [str(record.classifier["network"]) for record in records]
    rows = [
        [source, *(_from(record, source, section) for record in records)]
        for source in dict.fromkeys(networks)
    ]
    rows.append(["stacked", *(_worst(record, section, "adaptive", "") for record in records)])
    return Listed(section.title, ["made on", *networks], rows)


def _from(record: Record, source: str, section: Section) -> str:
    if source == record.classifier["network"]:
        return _worst(record, section, "oblivious", "")
    return _worst(record, section, "transfer", source)


def _worst(record: Record, section: Section, knowledge: str, substitute: str) -> str:
    found = [
        outcome
        for outcome in _at(record, section)
        if (outcome.knowledge, outcome.substitute) == (knowledge, substitute)
    ]
    return percent(Proportion.of(worst(found))) if found else ""


def _at(record: Record, section: Section) -> Sequence[Outcome]:
    return [outcome for outcome in record.outcomes if outcome.threat.epsilon == section.epsilon]


def _share(outcome: Outcome, attack: str | None) -> str:
    return percent((outcome if attack is None else outcome.together(attack)).robust_accuracy())


def _difference_table(exhibit: DifferenceTable, results: Results) -> list[Listed]:
    return against_printed(exhibit, results.records)


def _filter_table(exhibit: FilterTable, results: Results) -> list[Listed]:
    return [compared(exhibit, results.records)]


LISTED: Mapping[type, Callable[[Any, Results], list[Listed]]] = {
    PrintedTable: _printed_table,
    SecondsTable: _seconds_table,
    LimitTable: _limit_table,
    OriginTable: _origin_table,
    TransferTable: _transfer_table,
    RefusalTable: refusal_table,
    RefusalFigure: against_budget_table,
    SecondLookTable: second_look_table,
    SoughtTable: sought_table,
    KnownTable: known_table,
    AlarmsTable: alarms_table,
    FrechetTable: frechet_table,
    DifferenceTable: _difference_table,
    FilterTable: _filter_table,
}
