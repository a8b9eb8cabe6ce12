"""The failure of a study: one line that names what went wrong, however much did."""

import pytest

from purifold.engine.study import StudyFailure, StudyReport, first_line


@pytest.fixture
def failure(program):
    """Makes the failure of a study of so many broken steps, one made and two left out."""

    def make(count):
        broken = tuple(
            (program.Mix(name=f"step-{place}"), ValueError(f"no {place}\nmore")) for place in range(count)
        )
        made, left = program.Mix(name="made"), program.Mix(name="left")
        return StudyFailure(
            StudyReport(made=(made,), found=(), failed=broken, skipped=(left, left), seconds=1.0)
        )

    return make


def test_ten_failures_are_named_and_the_others_counted(failure):
    text = str(failure(13))
    assert text.startswith("13 of 16 steps failed, 2 that need them were left out: step-0: no 0; step-1: ")
    assert text.endswith("; step-9: no 9; and 3 more")
    assert "\n" not in text


def test_where_all_are_named_no_more_are_announced(failure):
    assert str(failure(10)).endswith("; step-9: no 9")


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError("\n a\nb"), "a"), (KeyError("key"), "'key'"), (RuntimeError(), "RuntimeError")],
)
def test_an_error_is_told_in_its_first_line_or_by_its_class(error, line):
    assert first_line(error) == line
