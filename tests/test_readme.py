"""The README's example runs as written."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_the_library_example_runs_and_shows_both_attackers(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["oblivious", "adaptive"]
    kept = [int(line.split()[1].split("/")[0]) for line in lines]
    assert kept[1] <= kept[0]


def test_the_tables_list_what_there_is():
    from purifold.attacks.base import Attack
    from purifold.defenses.recipe import Recipe
    from purifold.discovery import classes, instances

    listed = set(re.findall(r"`([a-z0-9-]+)`", README.read_text()))
    assert {*classes(Attack), *instances(Recipe)} - {"none"} <= listed
