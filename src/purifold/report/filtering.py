"""What a smoothing filter does alone, what with a VAE before it, and what an attacker leaves of both."""

from collections.abc import Mapping
from typing import TypeAlias

from purifold.engine.experiment import Experiment
from purifold.evaluation.intervals import PairedTest, Proportion, paired_test
from purifold.evaluation.outcome import Outcome, worst
from purifold.evaluation.record import Record
from purifold.papers.difference import FilterTable
from purifold.report.lines import named, percent
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
        whole = Proportion.of(_worst(exhibit, experiment, records))
        mark = named(record).removeprefix(str(record.defense["name"]))
        rows.append([name + mark, percent(clean), *map(percent, shown), percent(whole)])
    title = f"{exhibit.attack} at {exhibit.bare.norm} {exhibit.epsilon:g}"
    header = ["defense", "clean", "oblivious", "adaptive", "adaptive, worst case of all attacks"]
    return Listed(title, header, rows)


def paragraph(exhibit: FilterTable, records: Records) -> str:
    """What the table says: the filter's part in the gain, and what is left when the attacker knows."""
    sentences = [_gain(exhibit, records), _pair(exhibit, records), _left(exhibit, records)]
    return " ".join(sentence for sentence in sentences if sentence)


def _gain(exhibit: FilterTable, records: Records) -> str:
    name, best = _best(exhibit, records)
    bare, alone, vae = (
        100 * _kept(exhibit, experiment, "oblivious", records).value
        for experiment in (exhibit.bare, exhibit.alone, best)
    )
    return (
        f"By an attacker who does not know the defense, under {exhibit.attack} at {exhibit.bare.norm} "
        f"{exhibit.epsilon:g}, the classifier alone keeps {bare:.1f} % of the images, the filter alone "
        f"{alone:.1f} % and the best VAE, {name}, {vae:.1f} %: the filter on its own gains "
        f"{alone - bare:+.1f} points, the VAE {vae - bare:+.1f}."
    )


def _pair(exhibit: FilterTable, records: Records) -> str:
    if exhibit.unfiltered is None:
        return ""
    filtered, bare = (
        100 * _kept(exhibit, exhibit.systems[name], "oblivious", records).value for name in exhibit.unfiltered
    )
    return (
        f"Without its filter {exhibit.unfiltered[0]} keeps {bare:.1f} % instead of {filtered:.1f} %: behind "
        f"the VAE the filter is worth {filtered - bare:+.1f} points, of about 10 that the paper reports."
    )


def _left(exhibit: FilterTable, records: Records) -> str:
    name, best = _best(exhibit, records)
    bare, alone, vae = (
        _worst(exhibit, experiment, records) for experiment in (exhibit.bare, exhibit.alone, best)
    )
    test = paired_test(vae, bare)
    shares = [100 * Proportion.of(mask).value for mask in (bare, alone, vae)]
    return (
        f"By one who knows it, in the worst case over all attacks, the classifier alone keeps "
        f"{shares[0]:.1f} %, the filter {shares[1]:.1f} % and {name} {shares[2]:.1f} %, which is "
        f"{_compared(test)} the classifier alone (paired test, "
        f"p = {test.p_value:.2g})."
    )


def _compared(test: PairedTest) -> str:
    if test.p_value >= LEVEL:
        return "not measurably more or less than"
    return "more than" if test.first_only > test.second_only else "less than"


def _best(exhibit: FilterTable, records: Records) -> tuple[str, Experiment]:
    """The VAE that looks best to an attacker who does not know it, with the filter behind it."""
    bare = exhibit.unfiltered[1] if exhibit.unfiltered else None
    filtered = [(name, found) for name, found in exhibit.systems.items() if name != bare]
    return max(filtered, key=lambda item: _kept(exhibit, item[1], "oblivious", records).value)


def _systems(exhibit: FilterTable) -> Mapping[str, Experiment]:
    return {BARE: exhibit.bare, ALONE: exhibit.alone, **exhibit.systems}


def _kept(exhibit: FilterTable, experiment: Experiment, level: str, records: Records) -> Proportion:
    found = _outcome(exhibit, experiment, level, records)
    return found.together(exhibit.attack).robust_accuracy()


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
