"""The header of a CSV file: delimiter, names and the search for a column."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from tests.delimited.reading import CsvFile, Row, read, refusal


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_taken_from_the_header(path, delimiter):
    content = f'text{delimiter}"x;,\ty"\na;,\tb\n'.replace("a;,\tb", f'"a;,\tb"{delimiter}1').encode()
    path.write_bytes(content)
    with CsvFile(path) as file:
        assert file.dialect.delimiter == delimiter
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


def test_two_columns_of_one_name_matter_to_who_asks_for_them(path):
    path.write_bytes(b"\na,b,a\n1,2,3\n")
    with CsvFile(path) as file:
        assert file.column("b", "source.text") == 1
        with pytest.raises(InputError, match="line 2: 2 columns are named 'a': give each its own name"):
            file.column("a", "source.text")
        assert list(file) == [Row(3, 3, ["1", "2", "3"])]


def test_columns_without_a_name_stay(path):
    assert read(path, b"a,,\n1,2,\n") == (["a", "", ""], [Row(2, 2, ["1", "2", ""])])


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


# What may be wrong where a column is missing


def missing(path, content, name="review", **layout):
    path.write_bytes(content)
    with CsvFile(path, **layout) as file, pytest.raises(InputError) as error:
        file.column(name, "source.text")
    return str(error.value), error.value.option


@pytest.mark.parametrize("title", [b"Export of reviews\nprinted 2026-01-02\n\n", b"Reviews, all\n,\n\n"])
@pytest.mark.parametrize("separator", [b",", b";"])
def test_titles_above_the_header_are_named_with_their_number(path, title, separator):
    table = b"id,review,stars\n0,fine,5\n1,bad,1\n2,fine,4\n".replace(b",", separator)
    message, option = missing(path, title + table)
    assert "line 1: there is no column 'review' among '" in message
    assert message.endswith("; the header seems to be line 4, below titles: skip 3 lines")
    assert option == "source.skip"


def test_a_title_is_known_by_the_table_below_it_whatever_the_names(path):
    content = b"Export of reviews\nid,body,stars\n0,fine,5\n1,bad,1\n2,fine,4\n3,x,2\n"
    message, option = missing(path, content)
    assert message.endswith("the header seems to be line 2, below titles: skip 1 line")
    assert option == "source.skip"


def test_the_name_among_the_words_of_a_quoted_text_is_no_header(path):
    message, option = missing(path, b'id,body\n1,"good film"\n2,"great, review, and all that"\n')
    assert "skip" not in message and option == "source.text"


def test_a_value_that_is_taken_for_a_column_is_no_header(path):
    message, _ = missing(path, b"review,stars\n" + b"fine,good\nso,bad\n" * 9, "good")
    assert message.endswith("no column 'good' among 'review', 'stars'")


@pytest.mark.parametrize(
    ("content", "cell"),
    [
        (b"quite a film,good\nnot a film,bad\na film,good\n", "good"),
        (b'"3","Wall St. Bears"\n"4","Oil prices"\n', "3"),
        (b"2026-01-02,fine\n2026-01-03,bad\n", "2026-01-02"),
        (b"this film is one of the best\nthis one is not\n", "this film is one of the best"),
    ],
)
def test_a_first_line_that_looks_like_data_is_said_to(path, content, cell):
    message, option = missing(path, content)
    assert message.endswith(
        f"; this line looks like data, as '{cell}' does, and not like names of columns: write a line with "
        "their names above it"
    )
    assert option == ""


def test_a_separator_that_is_not_looked_for_is_asked_for(path):
    message, option = missing(path, b"id:review:stars\n0:fine:5\n")
    assert message.endswith("among 'id:review:stars'; are its columns separated by another character?")
    assert option == "source.separator"


@pytest.mark.parametrize("content", [b'{"review": "a", "stars": 5}\n', b'[\n {\n  "review": "a"\n }\n]\n'])
def test_a_file_of_json_is_told_what_to_do(path, content):
    path.write_bytes(content)
    with CsvFile(path) as file, pytest.raises(InputError, match="looks like JSON: .* ends in .jsonl"):
        file.column("review", "source.text")


def test_a_given_separator_that_parts_no_names_is_doubted(path):
    path.write_bytes(b"id;review;price, EUR\n1;a;2,50\n")
    with CsvFile(path, separator="comma") as file, pytest.raises(InputError) as error:
        file.column("review", "source.text")
    assert str(error.value).endswith("are its columns separated by another character?")
    assert error.value.option == "source.separator"
