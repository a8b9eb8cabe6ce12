"""A study in a user's own file."""

from pathlib import Path

from purifold.discovery import adopt
from purifold.errors import InputError
from purifold.papers.base import Paper


def own_paper(file: Path) -> Paper:
    """The one `Paper` among the names of a Python file, which is run; its networks are found by name.

    Refuses a file that cannot be read or run, or that does not hold exactly one.
    """
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file} ({error}); give the path of a Python file") from error
    try:
        module = adopt(file.stem, text)
    except Exception as error:
        raise InputError(f"{file} cannot be run as Python: {type(error).__name__}: {error}") from error
    found = {id(paper): paper for paper in vars(module).values() if isinstance(paper, Paper)}
    if len(found) != 1:
        raise InputError(
            f"{file} must hold one study, STUDY = Paper(name=..., title=..., summary=..., study=...), "
            f"got {len(found)}"
        )
    return next(iter(found.values()))
