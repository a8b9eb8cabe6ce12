"""A part of a table, as text."""

from dataclasses import dataclass
from typing import final

from purifold.report.tables import as_markdown


@final
@dataclass(frozen=True)
class Listed:
    """A part of a table, as text."""

    title: str
    header: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """With its title as a heading."""
        return f"## {self.title}\n\n{as_markdown(self.header, self.rows)}"
