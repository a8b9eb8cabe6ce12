"""A folder of results: records, galleries and training curves, as files that a report is made of."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from purifold.engine.experiment import Experiment
from purifold.engine.steps.gallery import GALLERY, Pictures, read_gallery
from purifold.engine.steps.train import read_history
from purifold.engine.store import Store
from purifold.errors import Failure, InputError
from purifold.evaluation.record import Record, read, write
from purifold.training.storage import write_bytes

RECORDS, GALLERIES, TRAININGS = "records", "galleries", "trainings.json"


@final
@dataclass(frozen=True, eq=False)
class Results:
    """What a folder of results holds.

    Args:
        records: One a defense, in the order of the experiments.
        galleries: By the defense's name.
        trainings: `purifold.training.progress.History` as JSON, by the name of the training.
    """

    records: tuple[Record, ...]
    galleries: Mapping[str, Pictures]
    trainings: Mapping[str, Mapping[str, Any]]


def publish(
    experiments: Sequence[Experiment], store: Store, folder: Path, *, title: str, command: str
) -> Results:
    """Writes the results of finished experiments to `folder`, and reads them back."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GALLERIES).mkdir(exist_ok=True)
    (folder / RECORDS).mkdir(exist_ok=True)
    trainings: dict[str, Any] = {}
    for experiment in experiments:
        write(experiment.record(store, title, command), folder / RECORDS, experiment.name)
        shutil.copyfile(
            store.fetch(experiment.shown()) / GALLERY, folder / GALLERIES / f"{experiment.name}.npz"
        )
        trainings |= {step.label: read_history(store.fetch(step)) for step in experiment.trainings()}
    index = {"experiments": [experiment.name for experiment in experiments], "trainings": trainings}
    write_bytes(folder / TRAININGS, json.dumps(index, indent=1).encode())
    return read_results(folder)


def read_results(folder: Path) -> Results:
    """The results in a folder that `publish` wrote."""
    try:
        index = json.loads((folder / TRAININGS).read_text())
        names = list(index["experiments"])
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no results; run `purifold evaluate` with --out {folder} first"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{folder / TRAININGS} is damaged; run the study again to write it anew") from error
    records = tuple(read(folder / RECORDS / f"{name}.json") for name in names)
    galleries = {
        str(record.defense["name"]): read_gallery(folder / GALLERIES / f"{name}.npz")
        for name, record in zip(names, records, strict=True)
    }
    return Results(records, galleries, index["trainings"])
