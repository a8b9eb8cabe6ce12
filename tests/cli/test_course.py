"""Options that every study takes: a command gets those of a `Course` after its own, and the course itself."""

from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from purifold.cli.course import Course, on_course
from purifold.cli.options import ScaleOption


@pytest.fixture
def called():
    return []


@pytest.fixture
def command(called):
    @on_course(scale=ScaleOption.smoke)
    def study(name: str, times: int = 1, *, course: Course) -> None:
        """What it does."""
        called.append((name, times, course))

    return study


def test_its_options_stand_after_the_command_s_own_with_the_command_s_defaults(command):
    shown = signature(command).parameters
    assert list(shown) == ["name", "times", *(option.name for option in fields(Course))]
    assert shown["scale"].default is ScaleOption.smoke
    assert {name: entry.default for name, entry in shown.items() if name in ("times", "seed", "store")} == {
        "times": 1,
        "seed": 0,
        "store": Course().store,
    }
    assert command.__doc__ == "What it does."


def test_what_is_given_arrives_in_the_course_and_the_command_s_own_beside_it(command, called):
    options = vars(Course()) | {"seed": 7, "out": Path("there"), "scale": ScaleOption.paper}
    command(name="mine", times=2, **options)
    assert called == [("mine", 2, Course(seed=7, out=Path("there"), scale=ScaleOption.paper))]
