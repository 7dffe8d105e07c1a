import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.csv_line import Dialect, csv_line
from pipeline.delimited.faults import BadRow
from pipeline.delimited.records import FIELD_LIMIT
from pipeline.errors import InputError
from tests.delimited.reading import CsvFile, Row, read, rows

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"


# Rows


def test_rows_carry_their_values_and_lines(path):
    assert read(path, b"text,label\nfine,1\nbad,0\n") == (
        ["text", "label"],
        [Row(2, 2, ["fine", "1"]), Row(3, 3, ["bad", "0"])],
    )


def test_a_last_line_without_a_newline_is_a_row(path):
    assert rows(path, b"a,b\n1,2") == [Row(2, 2, ["1", "2"])]


def test_empty_lines_are_skipped_and_counted(path):
    assert rows(path, b"\n\r\na,b\n\n1,2\n\n\n3,4\n\n") == [Row(5, 5, ["1", "2"]), Row(8, 8, ["3", "4"])]


def test_empty_lines_of_a_single_column_are_skipped_and_a_quoted_blank_is_a_row(path):
    assert rows(path, b'a\n\n""\nx\n') == [Row(3, 3, [""]), Row(4, 4, ["x"])]


# Writing

TEXTS = st.text(st.one_of(
    st.sampled_from('",;\t\r\n \u2028\x85\x0b\ufeff='), st.characters(exclude_categories=["Cs"],
                                                                       exclude_characters="\0")
))  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(table=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5))
def test_rows_written_are_read_back_equal(scratch, delimiter, table):
    names = [f"{number}{name}" for number, name in enumerate(table[0])]  # each its own, and no BOM first
    written = [list(row) for row in table[1:]]
    scratch.write_bytes(b"".join(Dialect(delimiter).line(row) for row in [names, *written]))
    with CsvFile(scratch) as file:
        assert (file.dialect.delimiter, file.header) == (delimiter, names)
        assert [row.values for row in file if isinstance(row, Row)] == written


@given(written=st.lists(TEXTS, max_size=5))
def test_a_single_column_is_read_back_equal(scratch, written):
    scratch.write_bytes(b"".join(csv_line([text]) for text in ["a;b", *written]))
    header, found = read(scratch, scratch.read_bytes())
    assert header == ["a;b"]
    assert [row.values for row in found] == [[text] for text in written]


# Any bytes

PIECES = st.lists(st.sampled_from([
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"a", b"long enough", b"\xff", b"\0", "é".encode(), b"1,2\n",
    b'1,"x\n', b'x","""\n',
]), max_size=60).map(b"".join)  # fmt: skip


@settings(max_examples=400)
@given(content=st.one_of(PIECES, st.binary(max_size=200)), limit=st.sampled_from([4, 12, FIELD_LIMIT]))
def test_every_line_is_in_one_row_or_empty(scratch, content, limit):
    found = rows(scratch, b"a,b\n" + content, field_limit=limit)
    lines = re.split(r"\r\n|\r|\n", content.decode("utf-8", "surrogateescape"))
    if not lines[-1]:
        lines.pop()
    covered = [line for row in found for line in range(row.first_line, row.last_line + 1)]
    assert covered == sorted(set(covered))
    assert [lines[line - 2] for line in range(2, len(lines) + 2) if line not in covered] == [""] * (
        len(lines) - len(covered)
    )
    for row in found:
        if isinstance(row, Row):
            assert len(row.values) == 2 and all(len(value) <= limit for value in row.values)
            "".join(row.values).encode()


@settings(max_examples=400)
@given(
    content=st.one_of(PIECES, st.tuples(st.sampled_from([b"", b"\x1f\x8b"]), st.binary()).map(b"".join)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-le", "windows-1252", "shift_jis",
                              "gb18030", "utf-7", "iso2022_jp", "ascii", "cp037", "punycode"]),
)  # fmt: skip
def test_any_bytes_give_rows_or_an_input_error(scratch, content, encoding):
    try:
        read(scratch, content, encoding, field_limit=20)
    except InputError as error:
        assert str(scratch) in str(error)


# Real files


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
@pytest.mark.parametrize(("name", "count"), [
    ("mr.csv", 10662), ("trec_train.csv", 5452), ("chnsenticorp_htl/all.csv", 7766),
    ("nsmc/test.csv.gz", 50000),
])  # fmt: skip
def test_real_corpora_are_read_without_a_bad_row(name, count):
    with CsvFile(CORPORA / name) as file:
        assert file.header == ["text", "label"]
        found = list(file)
    assert len(found) == count
    assert all(isinstance(row, Row) for row in found)


def test_missing_fields_of_columns_without_a_name_are_empty(path):
    content = b'review,stars, ,""\na,5,x,y\n"b, c",4\nd,3,\ne\n"f\n""g""",1,z\n'
    assert rows(path, content) == [
        Row(2, 2, ["a", "5", "x", "y"]),
        Row(3, 3, ["b, c", "4", "", ""]),
        Row(4, 4, ["d", "3", "", ""]),
        BadRow(5, 5, "1 field where the header has 4", "e"),
        Row(6, 7, ['f\n"g"', "1", "z", ""]),
    ]


def test_fields_are_filled_up_beside_rows_that_cannot_be_read(path):
    content = b"review,stars,,\na,\xff,x\nb,\0,\nc,4\nd,3,x\n"
    found = rows(path, content)
    assert [type(row) for row in found] == [BadRow, BadRow, Row, Row]
    assert [row.values for row in found[2:]] == [["c", "4", "", ""], ["d", "3", "x", ""]]
