"""Bad rows: their reasons and the lines that they cover."""

from __future__ import annotations

import pytest

from pipeline.delimited.faults import BadRow, kind_of
from pipeline.delimited.records import FIELD_LIMIT
from tests.delimited.reading import Row, rows


def bad(content, path, **options):
    """The one bad row among `1,2` before it and `8,9` after it."""
    first, *middle, last = rows(path, b"a,b\n1,2\n" + content + b"8,9\n", **options)
    assert first == Row(2, 2, ["1", "2"]) and last.values == ["8", "9"]
    (row,) = middle
    assert isinstance(row, BadRow) and last.first_line == row.last_line + 1
    return row


def test_too_few_and_too_many_fields_are_counted(path):
    assert bad(b"x\n", path) == BadRow(3, 3, "1 field where the header has 2", "x")
    assert bad(b'"x\ny",2,3\n', path) == BadRow(3, 4, "3 fields where the header has 2", '"x\ny",2,3')


def test_undecodable_bytes_are_shown_with_line_and_byte_position(path):
    # The é of UTF-8 before it counts two bytes: x=1, é=2-3, y=4.
    assert bad(b'"x\nx\xc3\xa9y\xe9z",2\n', path) == BadRow(
        3, 4,
        "byte 0xe9 at position 5 of line 4 is not utf-8",
        '"x\nxéy\\udce9z",2',
    )  # fmt: skip


def test_bytes_without_a_character_in_windows_1252_cost_one_row(path):
    assert "byte 0x81 at position 1 of line 3" in bad(b"\x81,2\n", path, encoding="windows-1252").reason


def test_nul_is_a_bad_row(path):
    assert bad(b"x\0,2\n", path).reason == "a NUL character"


def test_a_quote_not_doubled_condemns_the_lines_of_its_record(path):
    assert bad(b'"x" y,2\n', path) == BadRow(3, 3, "a quote inside a quoted field is not doubled", '"x" y,2')
    assert bad(b'"x\n"y,2\n', path) == BadRow(
        3, 4, "a quote inside a quoted field is not doubled", '"x\n"y,2'
    )


def test_a_field_of_the_limit_is_read_and_one_above_it_is_a_bad_row(path):
    field = b"x" * FIELD_LIMIT
    assert rows(path, b"a,b\n" + field + b",1\n") == [Row(2, 2, [field.decode(), "1"])]
    row = bad(b'"' + field + b'y",1\n', path)
    assert row.reason == "a field of more than 1,000,000 characters"
    assert len(row.text) == 501


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_far_above_the_limit_is_skipped_to_its_end_wherever_the_limit_falls(path, end):
    for length in range(70, 90):  # pieces of 4 * 10 characters are read
        row = bad(b"x" * length + end, path, field_limit=10)
        assert (row.first_line, row.last_line) == (3, 3)
        assert row.reason == "a line of 40 characters or more"


def test_reasons_are_of_one_kind_but_for_what_they_quote():
    assert kind_of("no time in 'soon'") == kind_of("no time in 'it's late'") == "no time"
    assert kind_of("the only row of class 'it's'") == kind_of("the only row of class 'b'")
    assert kind_of("no row has the label 'x', and so on") == "no row has the label …, and so on"
    assert kind_of("byte 0xe9 at position 1 of line 3 is not utf-8") == "bytes that are not utf-8"


def test_a_row_in_another_encoding_names_the_option_and_other_bad_rows_none(path):
    undecodable, narrow = rows(path, b"a,b\n\xe9,1\nx\n")
    assert (undecodable.option, narrow.option) == ("source.encoding", "")
