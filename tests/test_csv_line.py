from __future__ import annotations

import pytest

from pipeline.csv_line import csv_line, quoted


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["text", "score"], b"text,score\n"),
        (["a b", "0.5"], b"a b,0.5\n"),
        (['"', ""], b'"""",\n'),
        (["\r", "x,y", "x\ty"], b'"\r","x,y","x\ty"\n'),
        ([""], b'""\n'),
        (["", ""], b",\n"),
    ],
)
def test_only_values_that_need_quotes_get_them(values, line):
    assert csv_line(values) == line


def test_a_value_with_another_known_delimiter_is_quoted_as_readers_guess_the_delimiter_from_the_header():
    assert csv_line(["1,5", "b"], ";") == b'"1,5";b\n'


def test_a_cell_is_quoted_for_the_delimiter_of_its_file_alone():
    assert quoted("a;b", ",") == b"a;b"
    assert quoted("a;b", ";") == b'"a;b"'
