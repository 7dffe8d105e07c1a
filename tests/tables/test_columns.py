"""Cells that are appended to lines of CSV, against the csv module."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.csv_line import CSV, Dialect
from pipeline.tables import columns as cells
from pipeline.tables.columns import Column, NameColumn, NumberColumn, TextColumn

STRUCTURE = st.text(alphabet=list(",;\t\"\r\n =+-@'aé😀"), max_size=8)
DELIMITER = st.sampled_from([",", ";", "\t"])
SHARES = st.lists(st.floats(0, 1, width=32), max_size=20)


def written(column: Column, delimiter: str) -> list[str]:
    data, bounds = column.cells(Dialect(delimiter))
    assert bounds.dtype == np.int64 and data.dtype == np.uint8
    return [data[start:end].tobytes().decode() for start, end in bounds.tolist()]


def as_csv(text: str, delimiter: str) -> str:
    """A cell as the csv module writes it, beside another: alone it would quote an empty one."""
    file = io.StringIO()
    # It quotes the line ends that its own holds, and in some versions no others.
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerow(["", text])
    return file.getvalue()[len(delimiter) : -2]


def read(data: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True))


def test_cells_are_quoted_where_csv_needs_it() -> None:
    texts = ["plain", "", 'a "word"', "a,b", "a;b", "two\nlines", "cr\r", " blank "]
    expected = ["plain", "", '"a ""word"""', '"a,b"', "a;b", '"two\nlines"', '"cr\r"', " blank "]
    assert written(TextColumn("t", texts), ",") == expected
    codes = np.array([2, 0, 0, 3], np.int64)
    assert written(NameColumn("t", codes, texts), ",") == [expected[code] for code in codes]
    assert written(NameColumn("t", codes, texts), ";") == ['"a ""word"""', "plain", "plain", "a,b"]


@given(st.lists(STRUCTURE, min_size=1, max_size=6), st.data(), DELIMITER)
def test_texts_and_names_are_what_the_csv_module_writes(
    texts: list[str], data: st.DataObject, delimiter: str
) -> None:
    assert written(TextColumn("t", texts), delimiter) == [as_csv(text, delimiter) for text in texts]
    codes = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=9))
    names = NameColumn("t", np.array(codes, np.int64), texts)
    assert written(names, delimiter) == [as_csv(texts[code], delimiter) for code in codes]
    assert names.arrow().to_pylist() == [texts[code] for code in codes]


@given(SHARES, DELIMITER)
def test_numbers_are_what_python_formats_with_four_decimals(values: list[float], delimiter: str) -> None:
    column = NumberColumn("n", np.array(values, np.float32))
    assert written(column, delimiter) == [f"{value:.4f}" for value in values]
    assert column.arrow().to_pylist() == values


def test_numbers_at_the_ends_and_halves() -> None:
    values = np.array([0, 1, 0.5, 0.03125, 0.09375, 1e-9, 0.99994, 0.99996], np.float32)
    expected = ["0.0000", "1.0000", "0.5000", "0.0312", "0.0938", "0.0000", "0.9999", "1.0000"]
    assert written(NumberColumn("n", values), ",") == expected


def test_records_stand_as_they_are_and_the_cells_behind_them() -> None:
    data = b'id,text\n1,"a ""b"""\r\n2,plain'
    records = np.array([[8, 19], [21, 28]], np.int64)
    columns = [
        NameColumn("label", np.array([1, 0], np.int64), ["a,b", "c"]),
        NumberColumn("share", np.array([0.25, 1], np.float32)),
    ]
    found = cells.append_columns(np.frombuffer(data, np.uint8), records, columns, CSV)
    assert found == b'1,"a ""b""",c,0.2500\n2,plain,"a,b",1.0000\n'


def test_no_records_are_no_lines() -> None:
    none = np.empty((0, 2), np.int64)
    columns = [
        NameColumn("label", np.empty(0, np.int64), ["a"]),
        NumberColumn("n", np.empty(0, np.float32)),
        TextColumn("t", []),
    ]
    assert cells.append_columns(np.empty(0, np.uint8), none, columns, CSV) == b""


@given(st.lists(st.lists(STRUCTURE, min_size=2, max_size=2), max_size=8), DELIMITER)
def test_lines_are_read_back_with_their_cells(rows: list[list[str]], delimiter: str) -> None:
    data, records = cells.concatenate([Dialect(delimiter).line(row)[:-1] for row in rows])
    columns = [
        TextColumn("t", [row[1] for row in rows]),
        NumberColumn("n", np.full(len(rows), 0.5, np.float32)),
    ]
    found = read(cells.append_columns(data, records, columns, Dialect(delimiter)), delimiter)
    assert found == [[*row, row[1], "0.5000"] for row in rows]


@given(st.lists(STRUCTURE, min_size=1, max_size=4), DELIMITER)
def test_a_line_is_read_back_by_the_csv_module(values: list[str], delimiter: str) -> None:
    assert read(Dialect(delimiter).line(values), delimiter) == [values]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠a"])
def test_a_formula_gets_an_apostrophe(value: str) -> None:
    assert cells.escape_values(["a", value, ""]) == ["a", f"'{value}", ""]
    column = cells.escape_formulas(NameColumn("label", np.array([1, 0], np.int64), ["fine", value]))
    assert read(b"\n".join(cell.encode() for cell in written(column, ",")), ",") == [[f"'{value}"], ["fine"]]


@given(st.lists(STRUCTURE))
def test_what_is_no_formula_stays_as_it_is(values: list[str]) -> None:
    found = cells.escape_values(values)
    assert not any(value.startswith(cells.FORMULA_STARTS) for value in found)
    assert [
        new for new, old in zip(found, values, strict=True) if not old.startswith(cells.FORMULA_STARTS)
    ] == [value for value in values if not value.startswith(cells.FORMULA_STARTS)]
    numbers, evidence = NumberColumn("n", np.zeros(1, np.float32)), TextColumn("evidence", ['[["a", 1]]'])
    assert cells.escape_formulas(numbers) is numbers and cells.escape_formulas(evidence) is evidence
