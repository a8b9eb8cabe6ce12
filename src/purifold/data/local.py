"""Parquet files in a folder, as the Hub names them: <part>-00000-of-00001.parquet.

They are read straight into memory: `datasets.load_dataset` would first write an Arrow copy of them to its
cache, and asks a server to count the download of files that never left this machine.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purifold.data.shard import Shard
from purifold.errors import Failure, InputError

if TYPE_CHECKING:
    import datasets
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

BATCH = 1000
"""Rows read at a time."""


def local_folder(root: Path, name: str) -> Path:
    """The folder of a data set under `root`; an error says what is there instead."""
    if not root.is_dir():
        raise InputError(f"the data root {root} is no folder")
    if not (root / name).is_dir():
        there = ", ".join(sorted(entry.name for entry in root.iterdir() if entry.is_dir())) or "nothing"
        raise InputError(f"the data root {root} has no folder {name}; it has: {there}")
    return root / name


def local_shards(folder: Path, part: str) -> list[Shard]:
    """The files of one part of a data set, in order."""
    shards = []
    for path in _paths(folder, part):
        with _open(path) as file:
            rows, features = file.metadata.num_rows, _features(file, path)
        shards.append(Shard(str(path), rows, features, partial(_column, path)))
    return shards


def _features(file: "pq.ParquetFile", path: Path) -> "datasets.Features":
    import datasets

    try:
        return datasets.Features.from_arrow_schema(file.schema_arrow)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(f"{path} is damaged: its columns are not described; fetch it again") from error


def _column(path: Path, name: str) -> Iterator[Any]:
    with _open(path) as file:
        for batch in file.iter_batches(BATCH, columns=[name]):
            yield batch.column(0)


@contextmanager
def _open(path: Path) -> "Iterator[pq.ParquetFile]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Failure(
            f"{path} cannot be read ({reason}); if it is damaged or cut short, fetch it again"
        ) from error


def _paths(folder: Path, part: str) -> list[Path]:
    pattern = re.compile(rf"{re.escape(part)}-(\d{{5}})-of-(\d{{5}})\.parquet")
    found = [match for path in folder.iterdir() if (match := pattern.fullmatch(path.name))]
    if not found:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        raise InputError(f"{folder} has no {part}-00000-of-00001.parquet; it has: {there}")
    totals = sorted({match[2] for match in found})
    if len(totals) > 1:
        raise InputError(f"{folder} mixes {part} files of {' and of '.join(totals)}; leave one set there")
    wanted = [f"{part}-{index:05d}-of-{totals[0]}.parquet" for index in range(int(totals[0]))]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} lacks {', '.join(missing)}; the {part} part has {int(totals[0])} files")
    return [folder / name for name in wanted]
