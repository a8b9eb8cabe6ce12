"""Whether the claims of a paper hold in our results."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import torch
from torch import Tensor

from purifold.evaluation.intervals import Difference, difference
from purifold.evaluation.record import Record
from purifold.papers.claim import Claim, Contrast, Expected, Ratio
from purifold.report.results import Results

Verdict: TypeAlias = Literal["holds", "does not hold", "undecided"]
LEVEL = 0.05
"""Of the sign tests of one claim together, by Holm's correction."""
SMALL = 0.05
"""A difference whose whole interval lies below this share of the images is none."""
WORST = "worst case"


@final
@dataclass(frozen=True)
class Finding:
    """What one comparison says.

    Args:
        where: What was compared.
        attack: Under which attack, or `WORST`; empty without one.
        numbers: What was found.
        verdict: On the claim, for this comparison alone.
    """

    where: str
    attack: str
    numbers: str
    verdict: Verdict


@final
@dataclass(frozen=True)
class Judged:
    """A claim with what decides it: by the paper's attack, and by the worst case over all attacks."""

    text: str
    findings: tuple[Finding, ...]
    verdicts: dict[str, Verdict]

    @property
    def decisive(self) -> Verdict | None:
        """The verdict to believe: by the worst case, where attacks are compared; None without evidence."""
        return next(reversed(self.verdicts.values()), None)


def judged(claim: Claim, results: Results) -> Judged:
    """The claim against our results."""
    contrasts = [item for item in claim.evidence if isinstance(item, Contrast)]
    ratios = [item for item in claim.evidence if isinstance(item, Ratio)]
    findings = [_ratio(item, results) for item in ratios]
    for attack in _attacks(claim, contrasts):
        findings += _contrasts(contrasts, attack, results)
    columns = dict.fromkeys(finding.attack for finding in findings)
    verdicts = {
        attack: _together([finding.verdict for finding in findings if finding.attack == attack])
        for attack in columns
    }
    return Judged(claim.text, tuple(findings), verdicts)


def markdown(claims: Sequence[Judged]) -> str:
    """All claims with their verdicts and numbers."""
    return "\n".join(line for claim in claims for line in _section(claim))


def summary(claim: Judged) -> str:
    """The verdicts in a few words."""
    return "; ".join(
        verdict + (f" ({attack})" if attack else "") for attack, verdict in claim.verdicts.items()
    )


def _section(claim: Judged) -> Iterator[str]:
    yield from (f"## {claim.text}", "", f"**{summary(claim) or 'nothing to compare at this scale'}**", "")
    if claim.findings:
        yield from ("| comparison | attack | found | verdict |", "|---|---|---|---|")
        for finding in claim.findings:
            attack = finding.attack or "none"
            yield f"| {finding.where} | {attack} | {finding.numbers} | {finding.verdict} |"
        yield ""


def _attacks(claim: Claim, contrasts: Sequence[Contrast]) -> tuple[str, ...]:
    if not contrasts:
        return ()
    return (claim.protocol, WORST) if any(contrast.epsilons for contrast in contrasts) else ("",)


def _contrasts(contrasts: Sequence[Contrast], attack: str, results: Results) -> list[Finding]:
    found = [
        difference(
            _kept(contrast, contrast.first, attack, results),
            _kept(contrast, contrast.second, attack, results),
        )
        for contrast in contrasts
    ]
    p_values = _holm([each.p_value for each in found])
    return [
        Finding(_place(contrast), attack, _numbers(each, p), _verdict(contrast.expected, each, p))
        for contrast, each, p in zip(contrasts, found, p_values, strict=True)
    ]


def _place(contrast: Contrast) -> str:
    """What is compared, on which data set, and at which budgets."""
    if not contrast.epsilons:
        return contrast.where
    budgets = ", ".join(f"{epsilon:.3g}" for epsilon in contrast.epsilons)
    return f"{contrast.where}, {contrast.first[0].norm} {budgets}"


def _kept(contrast: Contrast, side: Sequence[object], attack: str, results: Results) -> Tensor:
    """Which images each system of a side keeps at each budget: (images, systems x budgets)."""
    columns = []
    for experiment in side:
        record = results.records[experiment.name]  # type: ignore[attr-defined]
        columns += list(_columns(record, contrast.epsilons, attack))
    return torch.stack(columns, dim=1)


def _columns(record: Record, epsilons: Sequence[float], attack: str) -> Iterator[Tensor]:
    if not epsilons:
        yield record.outcomes[0].correct_clean()
    for outcome in record.outcomes:
        if outcome.knowledge == "adaptive" and outcome.threat.epsilon in epsilons:
            yield outcome.robust(None if attack == WORST else attack)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, 1979, Scandinavian Journal of Statistics 6:65."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def _verdict(expected: Expected, found: Difference, p: float) -> Verdict:
    """On "more" and "not fewer"; "fewer" and "no more" are these with the sides changed."""
    value, low, high = found.value, found.low, found.high
    if expected in ("fewer", "no more"):
        value, low, high = -value, -high, -low
    sure = p < LEVEL
    if expected in ("more", "fewer"):
        if sure and value > 0:
            return "holds"
        return "does not hold" if (sure and value < 0) or high < SMALL else "undecided"
    if sure and value < 0:
        return "does not hold"
    return "holds" if low > -SMALL else "undecided"


def _numbers(found: Difference, p: float) -> str:
    return (
        f"{100 * found.first:.1f} % against {100 * found.second:.1f} %: {100 * found.value:+.1f} "
        f"[{100 * found.low:+.1f}, {100 * found.high:+.1f}] points, p = {p:.2g}"
    )


def _ratio(ratio: Ratio, results: Results) -> Finding:
    first, second = (results.extents[codes.label][ratio.quantity] for codes in (ratio.first, ratio.second))
    found = first / second if second else math.inf
    verdict: Verdict = "holds" if ratio.least <= found <= ratio.most else "does not hold"
    numbers = f"{ratio.quantity} {first:.3g} / {second:.3g} = {found:.2f}, one training each"
    return Finding(ratio.where, "", f"{numbers}; {_bounds(ratio)}", verdict)


def _bounds(ratio: Ratio) -> str:
    """At which ratios the claim holds."""
    if math.isinf(ratio.most):
        return f"holds from {ratio.least:g}"
    return (
        f"holds up to {ratio.most:g}" if not ratio.least else f"holds from {ratio.least:g} to {ratio.most:g}"
    )


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    if all(verdict == "holds" for verdict in verdicts):
        return "holds"
    return "does not hold" if "does not hold" in verdicts else "undecided"
