"""What a delimited file shows of its layout: separator, Excel's line, lines above the header, quotes."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.csv_line import SEPARATORS, Dialect
from pipeline.delimited.faults import BadRow
from pipeline.errors import InputError
from tests.delimited.reading import CsvFile, Row, read, rows

WORDS = st.text(st.sampled_from("ab,;|\t \"'"), min_size=1, max_size=12)


@pytest.mark.parametrize("separator", SEPARATORS.values())
@given(table=st.lists(st.lists(WORDS, min_size=4, max_size=4), min_size=8, max_size=20))
def test_a_table_of_four_columns_is_known_by_its_rows(scratch, separator, table):
    names = [["id", "review, all of it", "stars; of five", "price | EUR"]]
    scratch.write_bytes(b"".join(Dialect(separator).line(row) for row in names + table))
    with CsvFile(scratch) as file:
        assert file.dialect == Dialect(separator)
        assert [row.values for row in file] == table


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        (b"id;review;price, EUR\n0;fine, really;0,50\n1;bad, really;1,50\n", ";"),
        (b'id;"price, EUR";review\n0;0,50;a\n', ";"),
        (b"id,review; all,stars\n0,a;b,1\n1,c,2\n", ","),
        (b"id|review|stars\n0|fine, really|1\n", "|"),
        (b"a;b;c,d\n1,2\n", ","),
        (b"text\na;b\nc;d\n", ","),
        (b"text,label\none, two, three,x\nfour, five,y\n", ","),  # all rows at fault, and no other separator
    ],
)
def test_the_separator_fits_header_and_rows_together(path, content, separator):
    path.write_bytes(content)
    with CsvFile(path) as file:
        assert file.dialect.delimiter == separator


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_header_with_more_commas_in_quotes_than_separators_is_not_cut_at_them(path, separator):
    header = separator.join(["0", '"1,0,0"', '"2,0"'])
    path.write_text(f"{header}\n")
    with CsvFile(path) as file:
        assert (file.dialect.delimiter, file.header) == (separator, ["0", "1,0,0", "2,0"])
    path.write_text('a,"b;c",5" d\n1,2,3\n')  # a quote within a name is no such one
    with CsvFile(path) as file:
        assert file.header == ["a", "b;c", '5" d']


def test_a_separator_that_is_given_overrides_what_is_found(path):
    assert read(path, b"a:b,c\n1:2,3\n", separator=":") == (["a", "b,c"], [Row(2, 2, ["1", "2,3"])])
    assert read(path, b"a\tb,c\n1\t2,3\n", separator="tab") == (["a", "b,c"], [Row(2, 2, ["1", "2,3"])])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("line", "separator"), [("sep=;\r\n", ";"), ('"SEP=|"\n', "|"), ("sep=\t\n", "\t")])
def test_the_line_by_which_excel_tells_a_separator_is_honoured_and_kept(path, mark, line, separator):
    path.write_text(f"{mark}{line}a,x{separator}b\r\n1,5{separator}2\r\n", newline="")
    with CsvFile(path) as file:
        assert (file.header, list(file)) == (["a,x", "b"], [Row(3, 3, ["1,5", "2"])])
        assert (file.mark.decode(), file.lead) == (mark, [line.rstrip("\r\n")])


def test_a_name_that_only_looks_like_it_is_a_name(path):
    for name in ("sep=ab", "sepal", "sep="):
        assert read(path, f"{name},b\n1,2\n".encode())[0] == [name, "b"]


def test_lines_above_the_header_are_skipped_counted_and_kept(path):
    content = b'Report, 2026\r\n\r\n"odd\ntext,label\n\xe9,1\nfine,2\n'
    path.write_bytes(content)
    with CsvFile(path, skip=3) as file:
        assert file.header == ["text", "label"]
        assert [row.first_line for row in file] == [5, 6]
        assert file.lead == ["Report, 2026", "", '"odd']
    assert rows(path, b"sep=;\ntitle\na;b\n1;2\n", skip=2) == [Row(4, 4, ["1", "2"])]
    assert rows(path, b"sep=;\na;b\n1;2\n", skip=1) == [Row(3, 3, ["1", "2"])]


def test_bytes_above_the_header_that_cannot_be_decoded_are_kept_as_escapes(path):
    path.write_bytes(b"caf\xe9\na,b\n")
    with CsvFile(path, skip=1) as file:
        assert file.lead == [r"caf\udce9"]


@pytest.mark.parametrize("skip", [2, 9])
def test_more_lines_than_there_are_leave_an_empty_file(path, skip):
    path.write_bytes(b"a,b\n1,2\n")
    with (
        pytest.raises(InputError, match="is empty behind line 2: a header line and rows"),
        CsvFile(path, skip=skip),
    ):
        pass


def test_megabytes_above_the_header_are_refused(path):
    path.write_bytes(b"x" * 1000 + b"\na,b\n")
    with (
        pytest.raises(InputError, match="more than 400 characters above the header") as error,
        CsvFile(path, field_limit=100, skip=1),
    ):
        pass
    assert error.value.option == "source.skip"


def test_quotes_that_are_characters_like_others(path):
    content = b'text\tlabel\n"a "b" c\t1\n"\t2\n5""\t3\n'
    assert read(path, content, quotes=False) == (
        ["text", "label"],
        [Row(2, 2, ['"a "b" c', "1"]), Row(3, 3, ['"', "2"]), Row(4, 4, ['5""', "3"])],
    )
    assert any(isinstance(row, BadRow) for row in rows(path, content))


@given(
    st.lists(st.lists(st.text(st.sampled_from("ab\"', "), max_size=8), min_size=2, max_size=2), max_size=9)
)
def test_without_quotes_every_line_is_split_at_its_separators(scratch, table):
    text = "x\ty\n" + "".join("\t".join(row) + "\n" for row in table)
    found = rows(scratch, text.encode(), quotes=False)
    assert [row.values for row in found] == [
        *csv.reader(text.split("\n")[1:-1], delimiter="\t", quoting=csv.QUOTE_NONE)
    ]


# Fields beyond the header


def test_empty_fields_that_most_rows_have_beyond_the_header_are_no_fault(path):
    content = b'a,b\n1,2,,\n3,"4",,\n5,6\n7,"8",""," "\n9,"x\ny",,  \n'
    assert rows(path, content) == [
        Row(2, 2, ["1", "2"]), Row(3, 3, ["3", "4"]), Row(4, 4, ["5", "6"]), Row(5, 5, ["7", "8"]),
        Row(6, 7, ["9", "x\ny"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line", [b"1,2,3", b"1,2,,3", b'1,2,""""', b'1,2,"x"', b'1,2,","', b'1,2,",,"', b"1,2,,"]
)
def test_what_stands_beyond_the_header_is_a_fault(path, line):
    found = rows(path, b"a,b\n" + b"5,6,\n" * 3 + line + b"\n")
    assert [type(row) for row in found] == [Row, Row, Row, BadRow]
    assert "fields where the header has 2" in found[-1].reason


def test_a_separator_without_quotes_is_a_fault_where_the_last_columns_are_empty_too(path):
    found = rows(path, b"text,label,\n" + b"fine,good,\n" * 4 + b"fine, really,good,\n")
    assert [row.values for row in found[:4]] == [["fine", "good", ""]] * 4
    assert found[4] == BadRow(6, 6, "4 fields where the header has 3", "fine, really,good,")


def test_with_spaces_between_fields_a_space_ends_one(path):
    content = b"a b\n" + b"1 2 \n" * 3 + b"3 4 5\n"
    assert [type(row) for row in rows(path, content, separator=" ")] == [Row, Row, Row, BadRow]
