"""The HTML page of a study: one file, figures inside, nothing fetched."""

import base64
from pathlib import Path
from typing import Any

from purifold.engine.experiment import file_name
from purifold.evaluation.summary import rows
from purifold.report import figures, tables
from purifold.report.lines import families, ladder, lines, percent
from purifold.report.pictures import gallery
from purifold.report.results import Results
from purifold.report.sentences import meaning
from purifold.training.storage import write_bytes

TEMPLATE = Path(__file__).with_name("page.html")
FIGURES = "figures"


def write_page(results: Results, folder: Path) -> Path:
    """Writes `report.html` and, for other uses, its figures as files; returns the page's path."""
    from jinja2 import Environment, StrictUndefined

    drawn = _figures(results)
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for name, content in drawn.items():
        write_bytes(folder / FIGURES / name, content)
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text())
    page = folder / "report.html"
    write_bytes(page, template.render(**_content(results, drawn)).encode())
    return page


def _figures(results: Results) -> dict[str, bytes]:
    """Files by name."""
    drawn = {
        "accuracy.svg": figures.svg(figures.against_budget(results.records)).encode(),
        "training.svg": figures.svg(figures.trainings(results.trainings)).encode(),
    }
    for attack in _attacks(results):
        figure = figures.against_difference(results.records, attack)
        drawn[f"difference-{attack}.svg"] = figures.svg(figure).encode()
    for record in results.records:
        name = str(record.defense["name"])
        drawn[f"gallery-{file_name(name)}.png"] = figures.png(gallery(results.galleries[name]))
    return drawn


def _attacks(results: Results) -> list[str]:
    """Every attack that some outcome has."""
    outcomes = [outcome for record in results.records for outcome in record.outcomes]
    return list(dict.fromkeys(attack for outcome in outcomes for attack in families(outcome)))


def _content(results: Results, drawn: dict[str, bytes]) -> dict[str, Any]:
    found = lines(results.records)
    first = results.records[0]
    return {
        "title": first.title,
        "meaning": list(meaning(results.records)),
        "levels": ladder(found),
        "header": tables.header(found),
        "lines": [(tables.cells(line, found), line.unreliable) for line in found],
        "attacks": [row for record in results.records for row in rows(record)],
        "percent": percent,
        "records": results.records,
        "first": first,
        "svg": {name: _inline(content) for name, content in drawn.items() if name.endswith(".svg")},
        "galleries": {
            name: base64.b64encode(drawn[f"gallery-{file_name(name)}.png"]).decode()
            for name in results.galleries
        },
    }


def _inline(content: bytes) -> str:
    """The SVG element without the XML prologue, for use inside HTML."""
    text = content.decode()
    return text[text.index("<svg") :]
