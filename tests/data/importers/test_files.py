"""Tables and files of archives: rows as they stand there, and one line for what is missing or cut."""

import pytest

from purifold.data.importers.files import content, records, whole
from purifold.errors import Failure, InputError


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "table.csv").write_bytes(text.encode())
        return tmp_path / "table.csv"

    return write


def test_rows_come_with_the_line_they_stand_in(table):
    path = table('a;b\n1;"x;y"\n2;z\n')
    assert list(records(path, ("b",), ";")) == [
        (f"line 2 of {path}", {"a": "1", "b": "x;y"}),
        (f"line 3 of {path}", {"a": "2", "b": "z"}),
    ]


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_column(table):
    assert [row for _, row in records(table("\ufeffa,b\n1,2\n"), ("a", "b"))] == [{"a": "1", "b": "2"}]


def test_a_table_without_a_column_is_refused_with_those_it_has(table):
    with pytest.raises(InputError, match="has no column c, d; it has: a, b"):
        list(records(table("a,b\n1,2\n"), ("a", "c", "d")))
    with pytest.raises(InputError, match="has no column a"):
        list(records(table(""), ("a",)))


def test_a_row_that_is_cut_short_is_named_unless_nobody_asks_for_what_it_lacks(table):
    path = table("a,b,c\n1,2,3\n4,5\n")
    assert len(list(records(path, ("a", "b")))) == 2
    with pytest.raises(Failure, match=r"line 3 of .* is cut short"):
        list(records(path, ("a", "c")))


def test_a_table_that_is_no_text_or_not_there_is_a_failure(tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"a,b\n\xff\xfe\n")
    for name in ("bytes.csv", "nothing.csv"):
        with pytest.raises(Failure, match=f"{name} cannot be read"):
            list(records(tmp_path / name, ("a",)))


def test_whole_numbers_are_read_and_others_refused_with_their_place():
    assert whole("-12", "line 3") == -12
    for text in ("1.5", "", "x"):
        with pytest.raises(InputError, match=f"line 3 must hold a whole number, got '{text}'"):
            whole(text, "line 3")


def test_a_file_is_its_bytes_and_a_missing_one_a_failure(tmp_path):
    (tmp_path / "file").write_bytes(b"\0\xff")
    assert content(tmp_path / "file") == b"\0\xff"
    with pytest.raises(Failure, match=r"nothing cannot be read .*; fetch the archive again"):
        content(tmp_path / "nothing")
