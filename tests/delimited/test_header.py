"""The header of a CSV file: delimiter, names and the search for a column."""

from __future__ import annotations

import pytest

from pipeline.delimited.rows import CsvFile, Row
from pipeline.errors import InputError
from tests.delimited.reading import read, refusal


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_taken_from_the_header(path, delimiter):
    content = f'text{delimiter}"x;,\ty"\na;,\tb\n'.replace("a;,\tb", f'"a;,\tb"{delimiter}1').encode()
    path.write_bytes(content)
    with CsvFile(path) as file:
        assert file.delimiter == delimiter
        assert file.header == ["text", "x;,\ty"]
        assert list(file) == [Row(2, 2, ["a;,\tb", "1"])]


def test_a_name_in_quotes_may_run_over_lines(path):
    assert read(path, b'a;"b, c\r\n(""d"")";5" e\n1;2;3\n') == (
        ["a", 'b, c\r\n("d")', '5" e'],
        [Row(3, 3, ["1", "2", "3"])],
    )


def test_a_comma_in_the_header_outweighs_other_delimiters(path):
    assert read(path, b"a;b;c,d\n1,2\n") == (["a;b;c", "d"], [Row(2, 2, ["1", "2"])])


def test_a_header_alone_has_no_rows(path):
    assert read(path, b"text,label\n") == (["text", "label"], [])


def test_a_column_is_found_by_name(path):
    path.write_bytes(b"text,label\n")
    with CsvFile(path) as file:
        assert (file.column("text", "source.text"), file.column("label", "source.label")) == (0, 1)


def test_a_missing_column_is_named_with_those_there_are_and_the_nearest(path):
    path.write_bytes(b"id,Text,label\n")
    with CsvFile(path) as file, pytest.raises(InputError) as error:
        file.column("text", "source.text")
    assert str(error.value) == (
        f"{path}, line 1: there is no column 'text' among 'id', 'Text', 'label', did you mean 'Text'?"
    )


def test_a_long_list_of_columns_is_cut(path):
    path.write_bytes(",".join(f"c{i}" for i in range(500)).encode())
    with CsvFile(path) as file, pytest.raises(InputError, match=r"'c19' and 480 more$"):
        file.column("xyz", "source.label")


def test_two_columns_of_one_name_are_refused(path):
    assert "line 2: 2 columns are named 'a'" in refusal(path, b"\na,b,a\n1,2,3\n")
    assert "2 columns are named ''" in refusal(path, b"a,,\n")


def test_one_column_may_have_no_name(path):
    assert read(path, b",text\n0,x\n") == (["", "text"], [Row(2, 2, ["0", "x"])])


@pytest.mark.parametrize("content", [b"", b"\n\r\n\r", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(path, content):
    assert "is empty" in refusal(path, content)


def test_a_missing_column_names_the_option_that_chooses_another(path):
    path.write_bytes(b"a,b\n")
    with CsvFile(path) as file, pytest.raises(InputError) as error:
        file.column("text", "source.text")
    assert error.value.option == "source.text"
