"""Reading what archives consist of: image files and small tables."""

import csv
from collections.abc import Iterator
from pathlib import Path

from purifold.errors import Failure, InputError


def records(
    path: Path, columns: tuple[str, ...], delimiter: str = ","
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a table with a header, each with what an error calls it; the named columns are there."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read ({error})") from error
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"{path} has no column {', '.join(missing)}; it has: {', '.join(reader.fieldnames or ())}"
        )
    for record in reader:
        place = f"line {reader.line_num} of {path}"
        if any(record[name] is None for name in columns):
            raise Failure(f"{place} is cut short; fetch the archive again")
        yield place, record


def whole(text: str, place: str) -> int:
    """A whole number in a table."""
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{place} must hold a whole number, got {text!r}") from None


def content(path: Path) -> bytes:
    """What a file of the archive holds."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror}); fetch the archive again") from error
