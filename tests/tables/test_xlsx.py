"""Workbooks: what a person sees in a cell, files that are none, and what is written."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.delimited.layout import Layout
from pipeline.errors import InputError
from pipeline.tables import xlsx
from pipeline.tables.formats import open_table
from pipeline.tables.xlsx import Cell, WorkbookWriter, open_workbook, rows_of
from tests.tables.workbooks import cells, kinds, workbook

OLE = b"\xd0\xcf\x11\xe0" + bytes(600)


@pytest.mark.parametrize(
    ("value", "form", "seen"),
    [
        (None, "General", ""),
        (5, "General", "5"),
        (5.0, "General", "5"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567890123456789, "General", "1234567890123456789"),
        (0.05, "0%", "5%"),
        (0.125, "0.0%", "12.5%"),
        (501, "00000", "00501"),
        (True, "General", "TRUE"),
        (datetime(2024, 5, 1), "dd.mm.yyyy", "2024-05-01"),
        (datetime(2024, 5, 1, 9, 30), "dd.mm.yyyy hh:mm", "2024-05-01 09:30:00"),
        (date(2024, 5, 1), "dd.mm.yyyy", "2024-05-01"),
        (time(9, 30), "hh:mm", "09:30:00"),
        (timedelta(hours=30), "[h]:mm:ss", "30:00:00"),
        (-timedelta(minutes=5, seconds=7), "[h]:mm:ss", "-0:05:07"),
        ("#N/A", "General", "#N/A"),
        (" a film ", "General", " a film "),
    ],
)
def test_the_text_of_a_cell_is_what_a_person_sees(value: Any, form: str, seen: str) -> None:
    assert Cell(value, form).text == seen


def test_rows_keep_their_numbers_and_lose_empty_cells_at_their_ends(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["a", None, "b", None], [None], ["_x0041_", ""]])
    with open_workbook(path) as book:
        found = [(number, [cell.value for cell in row]) for number, row in rows_of(path, book.worksheets[0])]
    assert found == [(1, ["a", None, "b"]), (3, ["A"])]  # as Excel reads that escape


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is no Excel workbook"),
        (b"review,stars\n", "is no Excel workbook: if it is a CSV, call it .csv"),
        (OLE, r"Excel 97 to 2003 \(.xls\): save it as .xlsx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "is encrypted: save it without a password"),
        (archive(hello=b"x"), "damaged or no Excel workbook"),
        (b"PK\x03\x04" + bytes(100), "damaged or no Excel workbook"),
        (archive(bomb=bytes(260 << 20)), "as a decompression bomb does"),
    ],
)
def test_a_file_that_is_no_workbook_is_an_error_of_one_line(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected), open_workbook(path):
        pass


def test_a_workbook_that_is_cut_or_changed_is_an_error_of_one_line(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["review"], *([f"text {n}"] for n in range(200))])
    content = path.read_bytes()
    for place in range(30, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        for damaged in (content[:place], bytes(changed)):
            path.write_bytes(damaged)
            try:
                with open_table(path, Layout()) as table:
                    table.select_columns(["review"])
                    list(table.batches())
            except InputError as error:
                assert "\n" not in str(error)


def test_entities_that_grow_are_an_error(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE worksheet [<!ENTITY l0 "lol">{laughs}]>'
    path = workbook(tmp_path / "a.xlsx", [["review"], ["grows"]])
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    sheet = doctype + members["xl/worksheets/sheet1.xml"].decode().replace("grows", "&l9;")
    path.write_bytes(archive(**members | {"xl/worksheets/sheet1.xml": sheet.encode()}))
    with open_workbook(path) as book, pytest.raises(InputError, match="damaged"):
        list(rows_of(path, book.worksheets[0]))


def test_no_text_becomes_a_formula_and_numbers_and_dates_stay_what_they_are(tmp_path: Path) -> None:
    row = ["=1+1", "#N/A", "\x01 a", 5, 0.5, True, None, datetime(2024, 5, 1), 10**18, float("inf")]
    with WorkbookWriter("predictions") as writer:
        writer.append(row)
        writer.append([Cell(0.05, "0%")])
        writer.save(path := tmp_path / "a.xlsx")
    first, second = cells(path)
    assert first[3:8] == row[3:8] and first[8:] == [str(10**18), "inf"]
    assert first[:2] == row[:2] and "f" not in kinds(path)
    assert second[0] == 0.05
    with open_workbook(path) as book:
        (_, found), (_, percent) = rows_of(path, book.worksheets[0])
    assert found[2].value == "\x01 a" and percent[0].text == "5%"


def test_what_a_sheet_cannot_hold_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*rows: list[str]) -> None:
        with WorkbookWriter("predictions") as writer:
            for row in rows:
                writer.append(row)

    with pytest.raises(InputError, match="row 2: a text of 32,768 characters, .* write a .csv"):
        write(["x" * xlsx.MAX_CHARACTERS], ["x" * (xlsx.MAX_CHARACTERS + 1)])
    with pytest.raises(InputError, match="more than a sheet's 1,048,576 rows"):
        write([""] * (xlsx.MAX_COLUMNS + 1))
    monkeypatch.setattr(xlsx, "MAX_ROWS", 1)
    with pytest.raises(InputError, match="more than a sheet's 1 rows"):
        write(["a"], ["b"])


def written(path: Path, value: Any) -> Cell:
    """Return a value as it is read again from the cell that it was written to."""
    with WorkbookWriter("predictions") as writer:
        writer.append([value])
        writer.save(path)
    with open_workbook(path) as book:
        ((_, (cell,)),) = rows_of(path, book.worksheets[0])
    return cell


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[0m",
        "a\0b",
        "\x1f",
        "a\nb",
        "a\r\nb",
        "\r",
        "a\tb",
        "\ufffe\uffff",
        "_x0041_",
        "_x005F_x0041_",
        "_x1_",
    ],
)
def test_every_text_is_read_as_it_was_written(tmp_path: Path, text: str) -> None:
    assert written(tmp_path / "a.xlsx", text).value == text


def test_a_number_that_is_none_is_an_empty_cell(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        written(tmp_path / "a.xlsx", float("nan"))


def test_the_characters_of_a_cell_are_counted_as_excel_does() -> None:
    with WorkbookWriter("predictions") as writer, pytest.raises(InputError, match="a text of 32,768 char"):
        writer.append(["\U0001f600" * (xlsx.MAX_CHARACTERS // 2 + 1)])
