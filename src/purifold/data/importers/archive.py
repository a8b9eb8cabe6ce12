"""Official archives to the Parquet files that `load` reads: for data sets without a copy on the Hub."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from purifold.data.importers.base import Importer, Rows
from purifold.discovery import instances
from purifold.errors import Failure, InputError, unknown

if TYPE_CHECKING:
    import datasets


def importers() -> dict[str, Importer]:
    """Every importer by the name of its data set, in alphabetical order."""
    return dict(sorted(instances(Importer).items()))


def import_archive(name: str, archive: Path, root: Path) -> Path:
    """Writes the data set of an unpacked archive and returns its folder, `root`/name.

    The folder appears whole or not at all: it is written under a hidden name and then renamed.

    Args:
        name: One of `importers()`.
        archive: Folder with the unpacked official archive; see `Importer.layout`.
        root: Folder of data sets, made where it is missing.
    """
    known = importers()
    if name not in known:
        raise unknown("importer", name, known)
    target = root / name
    if target.exists():
        raise InputError(f"{target} is there already; move it away to import it anew")
    if not archive.is_dir():
        raise InputError(f"the archive {archive} is no folder; unpack it first: {known[name].layout}")
    parts = known[name].read(archive)
    try:
        _write(parts, known[name].classes, target)
    except OSError as error:
        raise Failure(
            f"{target} cannot be written ({error.strerror or error}); nothing was left there"
        ) from error
    return target


def _write(parts: dict[str, Rows], classes: tuple[str, ...], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    hidden.chmod(0o755)  # mkdtemp's is for one user alone
    try:
        for part, rows in parts.items():
            _table(rows, classes).to_parquet(hidden / f"{part}-00000-of-00001.parquet")
        hidden.rename(target)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def _table(rows: Rows, classes: tuple[str, ...]) -> "datasets.Dataset":
    import datasets

    features = datasets.Features(
        {
            name: datasets.Value("int64" if isinstance(cells[0], int) else "string")
            for name, cells in rows.items()
            if name not in ("image", "label")
        }
    )
    known = {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(classes))}
    content = rows | {"image": [{"bytes": content, "path": None} for content in rows["image"]]}
    return datasets.Dataset.from_dict(content, features=datasets.Features(known | features))
