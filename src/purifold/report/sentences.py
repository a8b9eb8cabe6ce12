"""What the numbers of a study mean, in sentences made from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from purifold.evaluation.intervals import PairedTest, Proportion, paired_test
from purifold.evaluation.record import Record
from purifold.report.lines import Line, lines, spoken

BARE = "none"
BROKEN = 0.1
"""A budget breaks the bare classifier when it leaves at most this share."""
LEVEL = 0.05
"""Of the paired tests between a defense and the bare classifier."""


@final
@dataclass(frozen=True)
class Meaning:
    """What who does not know the defense sees, what who knows it does, what it costs, how sure this is."""

    oblivious: str
    adaptive: str
    cost: str
    caution: str

    def __iter__(self) -> Iterator[str]:
        return filter(None, (self.oblivious, self.adaptive, self.cost, self.caution))


def meaning(records: Sequence[Record]) -> Meaning:
    """The sentences, at the smallest budget that breaks the bare classifier, or the largest there is.

    What a defense costs is told of all budgets, and is empty where no bare classifier stands beside.
    """
    found = lines(records)
    bare = [line for line in found if line.defense == BARE]
    epsilon = _telling(bare or found)
    here = [line for line in found if line.epsilon == epsilon]
    return Meaning(
        oblivious=_oblivious(here),
        adaptive=_adaptive(here),
        cost=_cost(found, bare),
        caution=_caution(records, here),
    )


def failed(records: Sequence[Record]) -> Iterator[str]:
    """A line for each sanity check that failed: where, and what a failure means."""
    for record in records:
        for check in record.checks:
            if check.passed is False:
                yield f'{record.defense["name"]} failed "{check.name}": {check.why}'


def _telling(found: Sequence[Line]) -> float:
    broken = [line.epsilon for line in found if Proportion.of(line.worst).value <= BROKEN]
    return min(broken, default=max(line.epsilon for line in found))


def _reliable(here: Sequence[Line]) -> list[Line]:
    return [line for line in here if line.defense != BARE and not line.unreliable]


def _oblivious(here: Sequence[Line]) -> str:
    shown = [line for line in _reliable(here) if "oblivious" in line.robust]
    if not shown:
        return "No reliable number was found for a defense against an attacker who does not know it."
    best = max(shown, key=lambda line: line.robust["oblivious"].value)
    bare = next((line for line in here if line.defense == BARE), None)
    beside = "" if bare is None else f", where the bare classifier keeps {spoken(Proportion.of(bare.worst))}"
    return (
        f"Against an attacker who does not know the defense, {_best(best, shown)} keeps "
        f"{spoken(best.robust['oblivious'])} of the images at {_budget(best)}{beside}."
    )


def _adaptive(here: Sequence[Line]) -> str:
    shown = [line for line in _reliable(here) if "adaptive" in line.robust]
    if not shown:
        return "No reliable attack by someone who knows the defense was made: nothing here says it is robust."
    best = max(shown, key=lambda line: Proportion.of(line.worst).value)
    return (
        f"Against one who attacks classifier and defense together, {_best(best, shown)} keeps "
        f"{spoken(Proportion.of(best.worst))} at {_budget(best)}{_against_bare(best, here)}: "
        "this is the number to believe."
    )


def _best(line: Line, others: Sequence[Line]) -> str:
    return line.defense if len(others) == 1 else f"the best, {line.defense},"


def _budget(line: Line) -> str:
    return f"{line.norm} {line.epsilon:g}"


def _against_bare(best: Line, here: Sequence[Line]) -> str:
    bare = next((line for line in here if line.defense == BARE), None)
    if bare is None:
        return ""
    test = paired_test(best.worst, bare.worst)
    much = "more" if _more(test) else "less" if _fewer(test) else "not measurably more or less"
    return f", {much} than the bare classifier (paired test, p = {test.p_value:.2g})"


def _more(test: PairedTest) -> bool:
    return test.p_value < LEVEL and test.first_only > test.second_only


def _fewer(test: PairedTest) -> bool:
    return test.p_value < LEVEL and test.first_only < test.second_only


def _cost(found: Sequence[Line], bare: Sequence[Line]) -> str:
    """Where a defense keeps fewer images than none."""
    pairs = [
        (line, without)
        for without in bare
        for line in found
        if line.defense != BARE and line.epsilon == without.epsilon and len(line.clean) == len(without.clean)
    ]
    if not pairs:
        return ""
    lost: dict[str, dict[str, None]] = {}
    for line, without in pairs:
        if _fewer(paired_test(line.clean, without.clean)):
            lost.setdefault("on clean images", {})[line.defense] = None
    for line, without in pairs:
        if _fewer(paired_test(line.worst, without.worst)):
            lost.setdefault(f"in the worst case at {_budget(line)}", {})[line.defense] = None
    if not lost:
        return "No defense keeps measurably fewer images than none at all, clean or attacked (paired tests)."
    told = "; ".join(f"{place} by {', '.join(names)}" for place, names in lost.items())
    return f"Fewer images than without a defense are kept (paired tests, p < {LEVEL:g}): {told}."


def _caution(records: Sequence[Record], here: Sequence[Line]) -> str:
    count = len(here[0].clean)
    failed = [str(record.defense["name"]) for record in records if record.unreliable]
    checks = (
        "no sanity check failed, which rules out known mistakes and proves nothing"
        if not failed
        else f"sanity checks failed for {', '.join(failed)}, whose numbers are not to be relied on"
    )
    reduced = sum(record.reduced for record in records)
    if reduced:
        checks += f"; on {reduced} of {len(records)} systems no check made an attack"
    return f"These are {count} images of {records[0].data['name']}, in brackets 95 % intervals; {checks}."
