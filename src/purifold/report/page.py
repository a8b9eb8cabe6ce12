"""The HTML page of a study: one file, figures inside, nothing fetched."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from purifold.engine.experiment import middle
from purifold.evaluation.summary import rows
from purifold.report import figures, tables
from purifold.report.axes import png, svg
from purifold.report.lines import families, ladder, lines, percent
from purifold.report.pictures import gallery
from purifold.report.results import Results
from purifold.report.sentences import meaning
from purifold.storage import write_bytes

HERE = Path(__file__).parent
FIGURES = "figures"


def write_page(results: Results, folder: Path) -> Path:
    """Writes `report.html` and, for other uses, its figures as files; returns the page's path."""
    drawn = _figures(results)
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for name, content in drawn.items():
        write_bytes(folder / FIGURES / name, content)
    page = folder / "report.html"
    write_bytes(page, rendered("page.html", _content(results, drawn)).encode())
    return page


def rendered(template: str, content: Mapping[str, Any]) -> str:
    """A template of this folder with its content, and the style that all pages share."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    return found.get_template(template).render(**content, css=(HERE / "page.css").read_text())


def inline(drawing: str) -> str:
    """The SVG element without the XML prologue, for use inside HTML."""
    return drawing[drawing.index("<svg") :]


def _figures(results: Results) -> dict[str, bytes]:
    """Files by name."""
    records = tuple(results.records.values())
    drawn = {
        "accuracy.svg": svg(figures.against_budget(records)).encode(),
        "training.svg": svg(figures.trainings(results.trainings)).encode(),
    }
    for attack in _attacks(results):
        figure = figures.against_difference(records, attack)
        drawn[f"difference-{attack}.svg"] = svg(figure).encode()
    for name, pictures in results.galleries.items():
        drawn[f"gallery-{name}.png"] = png(gallery(pictures))
    return drawn


def _attacks(results: Results) -> list[str]:
    """Every attack that some outcome has."""
    outcomes = [outcome for record in results.records.values() for outcome in record.outcomes]
    return list(dict.fromkeys(attack for outcome in outcomes for attack in families(outcome)))


def _content(results: Results, drawn: Mapping[str, bytes]) -> dict[str, Any]:
    records = tuple(results.records.values())
    found = lines(records)
    return {
        "title": records[0].title,
        "meaning": list(meaning(records)),
        "levels": ladder(found),
        "header": tables.header(found),
        "lines": [(tables.cells(line, found), line.unreliable) for line in found],
        "attacks": [row for record in records for row in rows(record)],
        "percent": percent,
        "records": records,
        "shown_at": middle(sorted({outcome.threat.epsilon for outcome in records[0].outcomes})),
        "first": records[0],
        "svg": {name: inline(content.decode()) for name, content in drawn.items() if name.endswith(".svg")},
        "galleries": {
            str(results.records[name].defense["name"]): base64.b64encode(
                drawn[f"gallery-{name}.png"]
            ).decode()
            for name in results.galleries
        },
    }
