"""The page of a paper: its figures, its claims, and a table for each data set; figures and texts as files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from purifold.evaluation.record import Record
from purifold.papers.base import Study
from purifold.papers.difference import FilterTable
from purifold.papers.exhibit import AccuracyFigure, Drawing, Exhibit
from purifold.papers.refusals import KnownTable
from purifold.report import tables
from purifold.report.axes import svg
from purifold.report.claims import Judged, judged, markdown, summary
from purifold.report.exhibit_tables import listed
from purifold.report.exhibits import drawn
from purifold.report.filtering import paragraph
from purifold.report.lines import lines
from purifold.report.listed import Listed
from purifold.report.page import FIGURES, inline, rendered
from purifold.report.refusals import known_remark
from purifold.report.results import Results
from purifold.storage import write_bytes

LINES = (
    "Solid: accuracy under the attack of the paper alone ({}, sampling off), with its 95 % band. Dashed: the "
    "worst case of each image over all attacks, the number to believe"
)


def write_exhibits(study: Study, results: Results, folder: Path) -> Path:
    """Writes `report.html`, `claims.md`, `table.md` and the figures; prints the verdicts on the claims."""
    records = tuple(results.records.values())
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    shown = [_shown(exhibit, results, folder) for exhibit in study.exhibits]
    claims = [judged(claim, results) for claim in study.claims]
    if records:
        write_bytes(folder / "table.md", _tables(records).encode())
    if claims:
        write_bytes(folder / "claims.md", "\n".join(_claims(records, claims)).encode())
    for claim in claims:
        print(f"{claim.text} {summary(claim)}")
    page = folder / "report.html"
    content = {
        "title": _title(results),
        "how": _how(records) or results.made,
        "exhibits": shown,
        "claims": [(claim, summary(claim)) for claim in claims],
        "tables": [(name, *_table(found)) for name, found in _by_classifier(records).items()],
        "records": records,
        "smoke": "(smoke scale)" in _title(results),
    }
    write_bytes(page, rendered("exhibits.html", content).encode())
    return page


def _shown(exhibit: Exhibit, results: Results, folder: Path) -> dict[str, object]:
    """What the page needs of a figure or a table, which is written as a file too."""
    caption = exhibit.caption
    if isinstance(exhibit, AccuracyFigure):
        caption += f". {LINES.format(exhibit.protocol)}"
    remark = _remark(exhibit, results)
    return {
        "name": exhibit.name,
        "caption": caption,
        "remark": remark,
        "drawing": _drawing(exhibit, results, folder) if isinstance(exhibit, Drawing) else "",
        "sections": _sections(exhibit, remark, results, folder),
    }


def _remark(exhibit: Exhibit, results: Results) -> str:
    if isinstance(exhibit, FilterTable):
        return paragraph(exhibit, results.records)
    return known_remark(exhibit, results) if isinstance(exhibit, KnownTable) else ""


def _drawing(exhibit: Drawing, results: Results, folder: Path) -> str:
    drawing = svg(drawn(exhibit, results))
    write_bytes(folder / FIGURES / f"{exhibit.name}.svg", drawing.encode())
    return inline(drawing)


def _sections(exhibit: Exhibit, remark: str, results: Results, folder: Path) -> list[Listed]:
    sections = listed(exhibit, results)
    if sections:
        parts = [f"# {exhibit.caption}\n", *([f"{remark}\n"] if remark else ())]
        text = "\n".join([*parts, *(section.markdown() for section in sections)])
        write_bytes(folder / f"{exhibit.name}.md", text.encode())
    return sections


def _title(results: Results) -> str:
    records = tuple(results.records.values())
    return records[0].title if records else str(results.made.get("title", ""))


def _how(records: Sequence[Record]) -> dict[str, object]:
    """What all records share: made by what, on what."""
    if not records:
        return {}
    first = records[0]
    attacks = {f"attack {place + 1}": text for place, text in enumerate(first.attacks)}
    draws, eot = (max(getattr(record, name) for record in records) for name in ("draws", "eot"))
    sampling = f"stochastic systems are judged over {draws} draws, their gradients averaged over {eot}"
    return {"command": first.command, "seed": first.seed, "draws": sampling, **attacks, **first.environment}


def _claims(records: Sequence[Record], claims: Sequence[Judged]) -> Iterator[str]:
    images = ", ".join(f"{found[0].data['count']} of {data}" for data, found in _by_data(records).items())
    yield f"# Claims of `{records[0].title}`"
    yield ""
    yield (
        f"Test images attacked: {images}. A comparison is a mean over systems, the budgets that it names and "
        "images: by the paper's attack alone, and by the worst case over all attacks. Its 95 % interval is "
        "that of the mean difference; p is that of a sign test over images (Holm's correction within a "
        "claim), which counts how many images change, not by how much."
    )
    yield ""
    yield (
        "That something helps or costs holds where p is below 0.05 in that direction; it does not hold where "
        "p is below 0.05 in the other, or where the whole interval shows an effect below 5 points. That "
        "something never hurts or helps nowhere does not hold where p is below 0.05 in the other direction, "
        "and holds where the interval leaves out an effect of 5 points. All else is undecided. A claim holds "
        "when every comparison says so, and does not hold when one contradicts it."
    )
    yield ""
    yield f"Made by `{records[0].command}`."
    yield ""
    yield markdown(claims)


def _by_data(records: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(str(record.data["name"]), []).append(record)
    return found


def _by_classifier(records: Sequence[Record]) -> dict[str, list[Record]]:
    """By data set, and by its classifier where there are several."""
    found: dict[str, list[Record]] = {}
    for data, those in _by_data(records).items():
        networks = dict.fromkeys(str(record.classifier["network"]) for record in those)
        for network in networks:
            name = data if len(networks) == 1 else f"{data}, {network}"
            found[name] = [record for record in those if record.classifier["network"] == network]
    return found


def _table(records: Sequence[Record]) -> tuple[list[str], list[list[str]], str]:
    """Header, lines, and a sentence on the classifier."""
    classifier = records[0].classifier
    share = 100 * classifier["test_correct"] / classifier["test_images"]
    about = (
        f"{counted(records)}; an attacked image that is refused counts as kept; the classifier, "
        f"{classifier['network']}, is right on {share:.2f} % of all {classifier['test_images']} test images."
    )
    found = lines(records)
    return tables.header(found), [tables.cells(line, found) for line in found], about


def counted(records: Sequence[Record]) -> str:
    """How many images each was evaluated on."""
    counts = [record.data["count"] for record in records]
    least, most = min(counts), max(counts)
    return f"{most} images" if least == most else f"{least} to {most} images"


def _tables(records: Sequence[Record]) -> str:
    parts = [
        f"## {name}\n\n{_table(found)[2]}\n\n{tables.markdown(found)}"
        for name, found in _by_classifier(records).items()
    ]
    return "\n".join(parts)
