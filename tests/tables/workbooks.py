"""Workbooks for the tests, and their rows read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl


def workbook(path: Path, *sheets: Sequence[Sequence[Any]], formats: dict[str, str] | None = None) -> Path:
    """Write rows into the sheets `one`, `two` and so on; `formats` are of cells of the first."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in zip(("one", "two", "three"), sheets, strict=False):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s" if cell.data_type == "f" else cell.data_type  # a text, no formula
    for place, form in (formats or {}).items():
        book["one"][place].number_format = form
    book.save(path)
    return path


def hide(path: Path, sheet: str) -> None:
    """Hide a sheet."""
    book = openpyxl.load_workbook(path)
    book[sheet].sheet_state = "hidden"
    book.save(path)


def cells(path: Path) -> list[list[Any]]:
    """Return the values of the first sheet; a formula as its text."""
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(path).worksheets[0].iter_rows()]


def kinds(path: Path) -> set[str]:
    """Return the types of the cells of the first sheet: `s` of a text, `f` of a formula."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return {cell.data_type for row in sheet.iter_rows() for cell in row}
