"""The papers that can be reproduced, by name."""

from purifold.discovery import instances
from purifold.errors import unknown
from purifold.papers.base import Paper


def papers() -> dict[str, Paper]:
    """Every paper, in alphabetical order."""
    return dict(sorted(instances(Paper).items()))


def paper(name: str) -> Paper:
    """The paper of this name; refuses unknown ones with the nearest."""
    found = papers()
    if name not in found:
        raise unknown("paper", name, found)
    return found[name]
