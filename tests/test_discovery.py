import sys
import textwrap

import pytest

from purifold import discovery

ROOM = {
    "base.py": """
        from abc import ABC, abstractmethod

        class Tool(ABC):
            name: str

            @abstractmethod
            def work(self): ...

        class Half(Tool):
            name = "half"

        class Paper:
            def __init__(self, name):
                self.name = name
        """,
    "hammer.py": """
        from toolroom.base import Half, Paper, Tool

        class Hammer(Tool):
            name = "hammer"

            def work(self): ...

        class Helper:
            name = "helper"

        PAPER = Paper("on hammers")
        """,
    "saw.py": """
        from toolroom.base import Half
        from toolroom.hammer import Hammer
        from workshop import Drill

        class Saw(Half):
            name = "saw"

            def work(self): ...
        """,
}


ELSEWHERE = """
from toolroom.base import Tool

class Drill(Tool):
    name = "drill"

    def work(self): ...
"""


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A room of three files, none of them listed anywhere."""
    folder = tmp_path / "toolroom"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, text in ROOM.items():
        (folder / name).write_text(textwrap.dedent(text))
    (tmp_path / "workshop.py").write_text(ELSEWHERE)
    monkeypatch.syspath_prepend(tmp_path)
    discovery._modules.cache_clear()
    yield __import__("toolroom.base", fromlist=["base"])
    for name in [name for name in sys.modules if name.startswith(("toolroom", "workshop"))]:
        del sys.modules[name]
    discovery._modules.cache_clear()


def test_concrete_classes_of_the_room_are_found_once_each_by_name(base):
    found = discovery.classes(base.Tool)
    assert set(found) == {"hammer", "saw"}
    assert found["saw"].__module__ == "toolroom.saw"
    assert found["hammer"].__module__ == "toolroom.hammer"


def test_instances_are_found_by_name(base):
    assert set(discovery.instances(base.Paper)) == {"on hammers"}
