"""Tables of systems that may refuse, out of results."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import torch

from purifold.defenses.base import REJECTED
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.outcome import Outcome, majority, worst
from purifold.evaluation.record import Record
from purifold.papers.refusals import (
    AlarmsTable,
    FrechetTable,
    KnownTable,
    Refusal,
    RefusalFigure,
    RefusalTable,
    SecondLookTable,
    SoughtTable,
)
from purifold.report.lines import UNRELIABLE, percent, spoken
from purifold.report.listed import Listed
from purifold.report.results import Results
from purifold.threat import ThreatModel
from purifold.types import Mask

SHARES = {"accuracy": "right", "error": "wrong", "rejection": "rejected"}
"""As the paper calls them, and as they are counted."""
LOSSES = ("error", "rejection")
"""Those of which less is better."""


def refusal_table(exhibit: RefusalTable, results: Results) -> list[Listed]:
    """A row for each system, and for what the paper has and we have not."""
    header = ["data", "defense", "images", "without thresholds: printed", "ours"]
    for name in SHARES:
        header += [f"{name}: printed", "ours"]
    header += ["attacked images", "worst of all attacks: accepted and wrong"]
    rows = [
        _refusal(row, found, results)
        for row, found in zip(exhibit.rows, results.measurements[exhibit.name], strict=True)
    ]
    empty = [""] * (len(header) - 3 - 2 * (len(SHARES) + 1))
    for title, printed in exhibit.missing:
        cells = [cell for name in ("bare", *SHARES) for cell in (_printed(printed, name), "")]
        rows.append([title, "gm-vae", "not run: data not at hand", *cells, *empty])
    return [Listed("Clean test images, percent", header, rows)]


def second_look_table(exhibit: SecondLookTable, results: Results) -> list[Listed]:
    """A row for each kind of images."""
    header = [
        "images",
        "rejected",
        "right of these if it must answer: printed (under fgsm maybe of all)",
        "by equation 9 alone",
        "ours",
        "if it may refuse: refused again",
        "right among the others",
        "right of all images if it must answer",
        "if every image is looked at again",
    ]
    found = results.measurements[exhibit.name]
    rows = [_second_look(line, row.printed) for row, line in zip(exhibit.rows, found, strict=True)]
    under = [
        [title + mark(record), str(threat), str(len(tried[0])), percent(Proportion.of(worst(tried)))]
        for title, experiment in exhibit.followed
        for record in [results.records[experiment.name]]
        for threat, tried in by_budget(record.outcomes)
    ]
    return [
        Listed("Clean images and those of attackers who know the encoder alone, percent", header, rows),
        Listed(
            "Right if it must answer, by attackers who know detectors and descent, percent",
            ["system", "budget", "images", "worst case, at most"],
            under,
        ),
    ]


def known_table(exhibit: KnownTable, results: Results) -> list[Listed]:
    """A row for each system and budget."""
    header = [
        "system",
        "budget",
        "images",
        "classifier known: accepted and wrong",
        "classifier known: rejected under every attack",
        "all known: accepted and wrong",
    ]
    rows = [
        [title + mark(record), *cells]
        for title, experiment in exhibit.rows
        for record in [results.records[experiment.name]]
        for cells in _known(record.outcomes)
    ]
    return [Listed("Worst case over all attacks, percent", header, rows)]


def known_remark(exhibit: KnownTable, results: Results) -> str:
    """Whether all adversarial images are right or rejected, as the paper finds, by the largest share got."""
    most: dict[str, tuple[Proportion, str]] = {}
    for title, experiment in exhibit.rows:
        record = results.records[experiment.name]
        for threat, tried in by_budget(record.outcomes):
            share, name = mistaken(tried), title + mark(record)
            if title not in most or share.value > most[title][0].value:
                most[title] = share, f"{spoken(share)} of {name} at {threat}"
    return (
        "The paper finds every image of its attacker who knows all right or rejected. The most that is got "
        f"accepted and wrong here, of all images: {'; '.join(text for _, text in most.values())}."
    )


def sought_table(exhibit: SoughtTable, results: Results) -> list[Listed]:
    """A row for each system and what was sought."""
    header = ["system", "aim", "inputs", "reached", "mean L2 to where it started"]
    rows = [
        [
            line["system"],
            line["sought"],
            str(line["tried"]),
            percent(Proportion(line["got"], line["tried"])) if line["tried"] else "",
            f"{line['mean_l2']:.2f}" if line.get("mean_l2") else "",
        ]
        for line in results.measurements[exhibit.name]
    ]
    return [Listed("Aims and how often they are reached, percent", header, rows)]


def alarms_table(exhibit: AlarmsTable, results: Results) -> list[Listed]:
    """A row for each system and kind of images."""
    found = results.measurements[exhibit.name]
    header = ["model", "submitted", "images", *(f"by {name}" for name in found[0]["by"]), "by any"]
    rows = [
        [
            line["title"],
            line["submitted"],
            str(line["images"]),
            *(percent(Proportion(count, line["images"])) for count in (*line["by"].values(), line["any"])),
        ]
        for line in found
    ]
    return [Listed("Turned away, percent", header, rows)]


def frechet_table(exhibit: FrechetTable, results: Results) -> list[Listed]:
    """A row for each model."""
    found = results.measurements[exhibit.name]
    header = ["model", "images", "printed, CelebA, Inception"]
    header += ["ours, from the prior", "ours, from fitted Gaussians", "real images among themselves"]
    rows = [
        [
            title,
            str(line["images"]),
            "" if printed is None else f"{printed:g}",
            f"{line['samples']:.4g}",
            f"{line['fitted']:.4g}",
            f"{line['real']:.3g}",
        ]
        for (title, _, printed), line in zip(exhibit.rows, found, strict=True)
    ]
    return [Listed(f"Frechet distance in the features of {found[0]['reader']}", header, rows)]


def against_budget_table(exhibit: RefusalFigure, results: Results) -> list[Listed]:
    """The shares that the figure draws, a row for each panel and budget."""
    header = ["system", "budget", "images", *SHARES, "all known: accepted and wrong"]
    rows = [
        [title + mark(record), str(threat), str(len(tried[0])), *shares, percent(mistaken(tried))]
        for title, experiment in exhibit.panels
        for record in [results.records[experiment.name]]
        for (threat, tried), (_, (alone,)) in zip(
            by_budget(record.outcomes), by_budget(known_alone(record)), strict=True
        )
        for shares in [[percent(share) for share in decided(alone, exhibit.protocol).values()]]
    ]
    return [Listed(f"Under {exhibit.protocol} on the classifier, and the worst case, percent", header, rows)]


def known_alone(record: Record) -> list[Outcome]:
    """What attackers do who know the classifier alone, an outcome a budget."""
    return [outcome for outcome in record.outcomes if outcome.knowledge == "oblivious"]


def decided(outcome: Outcome, attack: str) -> dict[str, Proportion]:
    """Shares of all images under one attack; each image is right, wrong or rejected, and counted once."""
    rejected = outcome.rejection(attack)
    held = outcome.attacked_accuracy(attack)  # right or rejected
    count = rejected.trials
    return {
        "accuracy": Proportion(held.successes - rejected.successes, count),
        "error": Proportion(count - held.successes, count),
        "rejection": rejected,
    }


def by_budget(outcomes: Sequence[Outcome]) -> list[tuple[ThreatModel, list[Outcome]]]:
    """All that was tried at each budget, the smallest first."""
    threats = sorted({outcome.threat for outcome in outcomes}, key=lambda threat: threat.epsilon)
    return [(threat, [each for each in outcomes if each.threat == threat]) for threat in threats]


def mistaken(tried: Sequence[Outcome]) -> Proportion:
    """Images that some attack gets accepted and wrong, also those that are refused or wrong when clean.

    An attacker who knows everything may do what one does who knows less.
    """
    found = [attacked.predictions for outcome in tried for attacked in outcome.attacked.values()]
    held = [majority((answers == tried[0].labels[:, None]) | (answers == REJECTED)) for answers in found]
    return Proportion.of(~reduce(torch.logical_and, held))


def mark(record: Record) -> str:
    """What stands behind the name of a system whose numbers are not to be relied on."""
    return UNRELIABLE if record.unreliable else ""


def _known(outcomes: Sequence[Outcome]) -> Iterator[list[str]]:
    for threat, tried in by_budget(outcomes):
        blind = [each for each in tried if each.knowledge == "oblivious"]
        turned = [percent(Proportion.of(_always_rejected(each))) for each in blind] or [""]
        seen = [percent(mistaken(blind))] if blind else [""]
        yield [str(threat), str(len(tried[0])), *seen, *turned, percent(mistaken(tried))]


def _always_rejected(outcome: Outcome) -> Mask:
    """Images that are right when clean and turned away under every attack."""
    found = [majority(attacked.predictions == REJECTED) for attacked in outcome.attacked.values()]
    return reduce(torch.logical_and, found, outcome.correct_clean())


def _refusal(row: Refusal, found: Mapping[str, Any], results: Results) -> list[str]:
    record = results.records[row.experiment.name]
    bare, whole = found["bare"], found["refusing"]
    images = whole["images"]
    cells = _beside(row.printed, "bare", Proportion(bare["right"], images))
    for name, counted in SHARES.items():
        cells += _beside(row.printed, name, Proportion(whole[counted], images))
    known = by_budget(record.outcomes)
    wrong = "; ".join(f"{threat}: {percent(mistaken(tried))}" for threat, tried in known)
    return [row.title, row.defense + mark(record), str(images), *cells, str(len(record.outcomes[0])), wrong]


def _second_look(line: Mapping[str, Any], printed: float | None) -> list[str]:
    rejected, again = line["rejected"], line["still_rejected"]
    return [
        f"{line['title']} ({line['images']})",
        str(rejected),
        "" if printed is None else f"{100 * printed:.1f}",
        _share(line["right_by_equation"], rejected),
        _share(line["right"], rejected),
        _share(again, rejected),
        _share(line["right_of_the_others"], rejected - again),
        _share(line["all_right"], line["images"]),
        "" if line["every_right"] is None else _share(line["every_right"], line["images"]),
    ]


def _beside(printed: Mapping[str, float], name: str, found: Proportion) -> list[str]:
    """The printed share and ours, marked where our whole interval is worse than the printed one."""
    low, high = found.interval()
    ours = f"{100 * found.value:.2f} [{100 * low:.2f}, {100 * high:.2f}]"
    wanted = printed.get(name)
    if wanted is not None and name in LOSSES and low > wanted:
        ours += " above"
    if wanted is not None and name not in LOSSES and high < wanted:
        ours += " below"
    return [_printed(printed, name), ours]


def _printed(printed: Mapping[str, float], name: str) -> str:
    return f"{100 * printed[name]:.2f}" if name in printed else ""


def _share(successes: int, trials: int) -> str:
    return percent(Proportion(successes, trials)) if trials else ""
