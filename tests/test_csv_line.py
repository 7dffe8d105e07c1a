from __future__ import annotations

import pytest

from pipeline.csv_line import SEPARATORS, Dialect, check_separator, csv_line, separator_character
from pipeline.errors import InputError


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
    assert Dialect(";").line(["1,5", "b"]) == b'"1,5";b\n'


def test_a_cell_is_quoted_for_the_delimiter_of_its_file_alone():
    assert Dialect(",").cell("a;b") == b"a;b"
    assert Dialect(";").cell("a;b") == b'"a;b"'


def test_without_quotes_cells_stand_as_they_are_or_are_refused():
    dialect = Dialect("\t", quotes=False)
    assert dialect.line(['a "b", c', "'"]) == b'a "b", c\t\'\n'
    for text in ("a\tb", "a\nb", "\r"):
        with pytest.raises(InputError, match="no quotes may stand around it") as error:
            dialect.cell(text)
        assert error.value.option == "output"


def test_a_separator_is_a_name_or_one_character():
    assert [separator_character(check_separator(name)) for name in SEPARATORS] == [",", "\t", ";", "|"]
    assert [separator_character(check_separator(text)) for text in ("\t", r"\t", "|", ":", " ")] == [
        *"\t\t|: "
    ]
    for text in ("", '"', "\n", "a", "1", ".", "||", "§", "Tab"):
        with pytest.raises(ValueError, match="expected comma, tab, semicolon, pipe or one character"):
            check_separator(text)
