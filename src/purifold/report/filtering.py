"""What a smoothing filter does alone, what with a VAE before it, and what an attacker leaves of both."""

from collections.abc import Mapping
from typing import TypeAlias

from purifold.engine.experiment import Experiment
from purifold.evaluation.intervals import PairedTest, Proportion, difference, paired_test
from purifold.evaluation.outcome import Outcome, worst
from purifold.evaluation.record import Record
from purifold.papers.difference import FilterTable
from purifold.report.lines import UNRELIABLE, percent, spoken
from purifold.report.listed import Listed
from purifold.types import Mask

Records: TypeAlias = Mapping[str, Record]
BARE, ALONE = "classifier alone", "filter alone"
LEVEL = 0.05
"""Of the paired test."""


def compared(exhibit: FilterTable, records: Records) -> Listed:
    """A row a system: clean, by attackers who do not know it, by attackers who do."""
    rows = []
    for name, experiment in _systems(exhibit).items():
        record = records[experiment.name]
        clean = _outcome(exhibit, experiment, "oblivious", records).accuracy()
        shown = [_kept(exhibit, experiment, level, records) for level in ("oblivious", "adaptive")]
        shares = [Proportion.of(kept) for kept in (*shown, _worst(exhibit, experiment, records))]
        mark = UNRELIABLE if record.unreliable else ""
        rows.append([name + _fewer(exhibit, experiment) + mark, percent(clean), *map(percent, shares)])
    title = f"{exhibit.attack} at {exhibit.bare.norm} {exhibit.epsilon:g}"
    header = ["defense", "clean", "oblivious", "adaptive", "adaptive, worst case of all attacks"]
    return Listed(title, header, rows)


def paragraph(exhibit: FilterTable, records: Records) -> str:
    """What the table says: the filter's part in the gain, and what is left when the attacker knows."""
    said = (_gain, _pair, _left, _caution)
    return " ".join(sentence for say in said if (sentence := say(exhibit, records)))


def _gain(exhibit: FilterTable, records: Records) -> str:
    name, best = _best(exhibit, records)
    bare, alone, vae = (
        _kept(exhibit, experiment, "oblivious", records) for experiment in (exhibit.bare, exhibit.alone, best)
    )
    return (
        f"By an attacker who does not know the defense, under {exhibit.attack} at {exhibit.bare.norm} "
        f"{exhibit.epsilon:g}, the classifier alone keeps {_share(bare)} of the images, the filter alone "
        f"{_share(alone)} and the best VAE, {name}, {_share(vae)}: the filter on its own changes that by "
        f"{_more(alone, bare)}, the VAE by {_more(vae, bare)}."
    )


def _pair(exhibit: FilterTable, records: Records) -> str:
    if exhibit.unfiltered is None:
        return ""
    filtered, bare = (
        _kept(exhibit, exhibit.systems[name], "oblivious", records) for name in exhibit.unfiltered
    )
    return (
        f"Without its filter {exhibit.unfiltered[0]} keeps {_share(bare)} instead of {_share(filtered)}: "
        f"behind the VAE the filter adds {_more(filtered, bare)}; the paper reports about 10."
    )


def _left(exhibit: FilterTable, records: Records) -> str:
    name, best = _best(exhibit, records)
    bare, alone, vae = (
        _worst(exhibit, experiment, records) for experiment in (exhibit.bare, exhibit.alone, best)
    )
    test = paired_test(vae, bare)
    return (
        f"By one who knows it, in the worst case over all attacks, the classifier alone keeps "
        f"{_share(bare)}, the filter {_share(alone)} and {name} {_share(vae)}, which is {_compared(test)} "
        f"the classifier alone (paired test, p = {test.p_value:.2g}). In brackets 95 % intervals."
    )


def _caution(exhibit: FilterTable, records: Records) -> str:
    broken = [name for name, system in _systems(exhibit).items() if records[system.name].unreliable]
    return f"Sanity checks failed for {', '.join(broken)}: do not rely on these numbers." if broken else ""


def _share(kept: Mask) -> str:
    return spoken(Proportion.of(kept))


def _more(first: Mask, second: Mask) -> str:
    """How many points more of the same images the first keeps."""
    found = difference(first[:, None], second[:, None])
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def _compared(test: PairedTest) -> str:
    if test.p_value >= LEVEL:
        return "not measurably more or less than"
    return "more than" if test.first_only > test.second_only else "less than"


def _best(exhibit: FilterTable, records: Records) -> tuple[str, Experiment]:
    """The VAE that looks best to who does not know it, with the filter behind it, on the same images."""
    bare = exhibit.unfiltered[1] if exhibit.unfiltered else None
    filtered = [
        (name, found)
        for name, found in exhibit.systems.items()
        if name != bare and not _fewer(exhibit, found)
    ]
    return max(filtered, key=lambda item: int(_kept(exhibit, item[1], "oblivious", records).sum()))


def _fewer(exhibit: FilterTable, experiment: Experiment) -> str:
    """What a row says of images that are not all those of the others."""
    return "" if experiment.count == exhibit.bare.count else f", {experiment.count} images"


def _systems(exhibit: FilterTable) -> Mapping[str, Experiment]:
    return {BARE: exhibit.bare, ALONE: exhibit.alone, **exhibit.systems}


def _kept(exhibit: FilterTable, experiment: Experiment, level: str, records: Records) -> Mask:
    return _outcome(exhibit, experiment, level, records).together(exhibit.attack).robust()


def _worst(exhibit: FilterTable, experiment: Experiment, records: Records) -> Mask:
    levels = ("oblivious", "adaptive")
    return worst([_outcome(exhibit, experiment, level, records) for level in levels])


def _outcome(exhibit: FilterTable, experiment: Experiment, level: str, records: Records) -> Outcome:
    (found,) = (
        outcome
        for outcome in records[experiment.name].outcomes
        if (outcome.knowledge, outcome.threat.epsilon) == (level, exhibit.epsilon)
    )
    return found
