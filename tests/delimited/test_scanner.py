"""The scanner's grammar, limits, and recovery after quotes that are never closed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.delimited.faults import BadRow
from tests.delimited.reading import CsvFile, Row, plain, read_blocks, rows


def test_a_quoted_field_may_hold_delimiters_quotes_and_every_kind_of_line_end(path):
    content = b'a,b\n"x,""y"" \n two\r\n three\r four",1\nlast,2\n'
    assert rows(path, content) == [
        Row(2, 5, ['x,"y" \n two\r\n three\r four', "1"]),
        Row(6, 6, ["last", "2"]),
    ]


def test_newline_carriage_return_and_both_together_each_end_one_line(path):
    assert rows(path, b"a,b\r1,2\r\n3,4\n5,6\r") == [
        Row(2, 2, ["1", "2"]),
        Row(3, 3, ["3", "4"]),
        Row(4, 4, ["5", "6"]),
    ]


def test_unicode_line_separators_do_not_end_a_line(path):
    content = "a,b\nx\u2028y\x0b\x0c\x85z,1\n".encode()
    assert rows(path, content) == [Row(2, 2, ["x\u2028y\x0b\x0c\x85z", "1"])]


def test_a_quote_inside_an_unquoted_field_is_a_character(path):
    assert rows(path, b'a,b\n5" long,"6"""\n') == [Row(2, 2, ['5" long', '6"'])]


def test_a_quote_open_at_the_end_of_the_file_condemns_its_first_line_only(path):
    assert rows(path, b'a,b\n1,"x\n3,4\n\n5,6\n') == [
        BadRow(2, 2, "a quote is opened and not closed before the end of the file", '1,"x'),
        Row(3, 3, ["3", "4"]),
        Row(5, 5, ["5", "6"]),
    ]


def test_a_quote_open_on_the_last_line_condemns_that_line(path):
    assert [(type(row), row.first_line, row.last_line) for row in rows(path, b'a,b\n1,2\n3,"')] == [
        (Row, 2, 2),
        (BadRow, 3, 3),
    ]


def test_a_quote_that_runs_past_the_limit_condemns_its_first_line_only(path):
    found = rows(path, b'a,b\n"x,1\n' + b"y,2\n" * 20 + b'"z",3\n', field_limit=40)
    reason = "a quote is opened and not closed within 40 characters"
    assert found == [
        BadRow(2, 2, reason, '"x,1'),
        *(Row(line, line, ["y", "2"]) for line in range(3, 23)),
        Row(23, 23, ["z", "3"]),
    ]


def test_an_overlong_line_after_an_open_quote_leaves_the_lines_behind_it_whole(path):
    found = rows(path, b'a,b\n","\n","\n' + b"x" * 100 + b"\n8,9\n", field_limit=10)
    assert found[-1] == Row(5, 5, ["8", "9"])


@pytest.mark.parametrize("line", [b'x","""z\n', b'"\n', b'""",\n', b'x"",",z\n', b'x,"""",""\n'])
def test_lines_made_of_quotes_take_time_in_proportion(path, line):
    # Each line opens a quote when read from its start: re-reading from each would take 20,000 times the file.
    path.write_bytes(b"a,b\n" + line * 40_000)
    started = time.process_time()
    with CsvFile(path, field_limit=10_000) as file:
        last = [row.last_line for row in file][-1]
    assert last == 40_001
    assert time.process_time() - started < 5  # of some 30 seconds; half a second is usual


def test_a_line_end_cut_by_a_block_is_one_line_end(path: Path) -> None:
    path.write_bytes(b"a,b\r\n1,2\r\n\r\n3,4\r5,6\r\n")
    for block_size in range(1, 24):
        assert plain(read_blocks(path, block_size=block_size)) == [
            (2, 2, ["1", "2"]), (4, 4, ["3", "4"]), (5, 5, ["5", "6"]),
        ]  # fmt: skip


def test_limits_count_characters_and_not_bytes(path: Path) -> None:
    path.write_bytes('a,b\n好好好好,"é""é"\n好好好好好,1\n'.encode())
    assert plain(read_blocks(path, field_limit=4)) == [
        (2, 2, ["好好好好", 'é"é']),
        (3, 3, "a field of more than 4 characters", "好好好好好,1"),
    ]


def test_a_line_far_longer_than_a_block_is_passed_over(path: Path) -> None:
    path.write_bytes(b"a,b\n" + b"x" * 1000 + b",1\r\n8,9\n")
    assert plain(read_blocks(path, field_limit=10, block_size=16)) == [
        (2, 2, "a line of 40 characters or more", "x" * 40),
        (3, 3, ["8", "9"]),
    ]
