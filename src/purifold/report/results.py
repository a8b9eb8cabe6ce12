"""A folder of results: records, galleries and training curves, as files that a report is made of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from purifold.engine.steps.codes import read_extent
from purifold.engine.steps.gallery import GALLERY, Pictures, read_gallery
from purifold.engine.steps.training import read_history
from purifold.engine.store import Store
from purifold.errors import Failure, InputError
from purifold.evaluation.environment import environment
from purifold.evaluation.record import Record, read, write
from purifold.papers.base import Study
from purifold.papers.claim import Quantity
from purifold.report.measured import measured
from purifold.storage import write_bytes

RECORDS, GALLERIES, INDEX = "records", "galleries", "index.json"


@final
@dataclass(frozen=True, eq=False)
class Results:
    """What a folder of results holds.

    Args:
        records: By the experiment's name, in the order of the experiments.
        galleries: Where there are any, by the experiment's name.
        measurements: Points of figures that are no records, by the figure's name; see `measured`.
        extents: Quantities of the sets of codes that a claim compares, by the label of their step.
        trainings: `purifold.training.progress.History` as JSON, by the name of the training.
        made: Title, command and machine of the report, for figures that no record stands behind.
    """

    records: Mapping[str, Record]
    galleries: Mapping[str, Pictures]
    measurements: Mapping[str, Any]
    extents: Mapping[str, Mapping[Quantity, float]]
    trainings: Mapping[str, Mapping[str, Any]]
    made: Mapping[str, Any] = field(default_factory=dict)


def publish(study: Study, store: Store, folder: Path, *, title: str, command: str) -> Results:
    """Writes the results of a finished study to `folder`, and reads them back."""
    (folder / RECORDS).mkdir(parents=True, exist_ok=True)
    trainings: dict[str, Any] = {}
    for experiment in study.experiments:
        record = experiment.record(store, title, command, beside=study.experiments)
        write(record, folder / RECORDS, experiment.name)
        gallery = experiment.shown
        if gallery is not None:
            (folder / GALLERIES).mkdir(exist_ok=True)
            write_bytes(_gallery(folder, experiment.name), (store.fetch(gallery) / GALLERY).read_bytes())
        trainings |= {step.label: read_history(store.fetch(step)) for step in experiment.trainings()}
    index = {
        "made": {"title": title, "command": command, **environment()},
        "experiments": [experiment.name for experiment in study.experiments],
        "galleries": [experiment.name for experiment in study.experiments if experiment.pictures],
        "trainings": trainings,
        "measurements": {
            exhibit.name: measured(exhibit, store) for exhibit in study.exhibits if exhibit.measurements
        },
        "extents": {step.label: _extent(store.fetch(step)) for step in study.compared()},
    }
    write_bytes(folder / INDEX, json.dumps(index, indent=1).encode())
    return read_results(folder)


def read_results(folder: Path) -> Results:
    """The results in a folder that `publish` wrote."""
    try:
        index = json.loads((folder / INDEX).read_text())
        experiments, galleries = list(index["experiments"]), list(index["galleries"])
        trainings, measurements, extents = (index[part] for part in ("trainings", "measurements", "extents"))
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no results; run `purifold evaluate` or `purifold reproduce` with --out {folder}"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{folder / INDEX} is damaged; run the study again to write it anew") from error
    return Results(
        records={name: read(folder / RECORDS / f"{name}.json") for name in experiments},
        galleries={name: read_gallery(_gallery(folder, name)) for name in galleries},
        trainings=trainings,
        measurements=measurements,
        extents=extents,
        made=index.get("made", {}),
    )


def _extent(folder: Path) -> Mapping[Quantity, float]:
    found = read_extent(folder)
    return {"diameter": found.diameter, "active units": found.active}


def _gallery(folder: Path, name: str) -> Path:
    return folder / GALLERIES / f"{name}.npz"
