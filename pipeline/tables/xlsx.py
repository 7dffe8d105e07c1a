"""Excel's workbooks, read and written by openpyxl: their sheets, and what a person sees in a cell."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.escape import unescape

from ..errors import InputError, is_lack_of_memory
from ..stores.remote_file import Location

MAX_ROWS, MAX_COLUMNS, MAX_CHARACTERS = 1_048_576, 16_384, 32_767  # of a sheet, a row and a cell, in UTF-16
ROWS_AT_ONCE = 100
MAX_DIGITS = 15  # that a number of a cell keeps
UNPACKED_BYTES, UNPACKED_RATIO = 256 << 20, 200  # beyond both a workbook is a decompression bomb

_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"  # of Excel 97 to 2003, and what a password encrypts
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ZEROS = re.compile("0+")  # the number format of 00501
_PERCENT = re.compile(r"0(\.0+)?%")
# What XML lacks or changes, and what would be read as an escape of it.
_ESCAPED = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class Cell(NamedTuple):
    """A value of a sheet, and the number format in which it is shown."""

    value: Any
    number_format: str = "General"

    @property
    def text(self) -> str:
        """What a person sees, dates and times as in ISO 8601; "" of an empty cell."""
        value, form = self
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, datetime):
            return value.isoformat(" ").removesuffix(" 00:00:00")
        if isinstance(value, timedelta):
            return _duration_text(value)
        if isinstance(value, int | float):
            return _number_text(value, form)
        return str(value)


def _number_text(number: float, form: str) -> str:
    if form != "General" and _PERCENT.fullmatch(form):
        return f"{100 * number:.{max(0, len(form) - 3)}f}%"
    if form != "General" and _ZEROS.fullmatch(form) and float(number).is_integer():
        return f"{int(number):0{len(form)}}"
    if isinstance(number, float) and number.is_integer() and abs(number) < 10**MAX_DIGITS:
        return str(int(number))
    return str(number) if isinstance(number, int) else f"{number:.{MAX_DIGITS}g}"


def _duration_text(duration: timedelta) -> str:
    """Return hours, minutes and seconds, as in 30:00:00 of a day and a quarter."""
    minutes, seconds = divmod(round(abs(duration).total_seconds()), 60)
    sign = "-" if duration < timedelta() else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{seconds:02}"


@contextmanager
def open_workbook(path: Location) -> Iterator[Any]:
    """Give openpyxl's workbook, whose sheets are read row by row. Raises InputError where it is none."""
    if not path.is_file():
        raise InputError(f"{path} {'is no file' if path.exists() else 'does not exist'}: name a workbook")
    _check_kind(path)
    with path.open("rb") as file:
        with damage(path):
            _check_unpacked(path, ZipFile(file))
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            yield workbook
        finally:
            workbook.close()


def rows_of(path: Location, sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the number and the cells of each row that has any, those that are empty at its end left out."""
    sheet.reset_dimensions()  # which some programs write wrongly
    rows = enumerate(sheet.iter_rows(max_row=MAX_ROWS), 1)
    number = 0
    while True:
        with damage(f"{path}, sheet '{sheet.title}', after row {number}"):
            read = [(number, _filled(row)) for number, row in islice(rows, ROWS_AT_ONCE)]
        if not read:
            return
        for number, cells in read:
            if cells:
                yield number, cells


def _filled(row: Sequence[Any]) -> list[Cell]:
    """Return the cells of a row up to the last one with a value."""
    end = len(row)
    while end and row[end - 1].value in (None, ""):  # there may be 16,384
        end -= 1
    return [_cell(cell) for cell in row[:end]]


def _cell(cell: Any) -> Cell:
    value = cell.value
    if isinstance(value, str):
        return Cell(unescape(value))
    return Cell(None) if value is None else Cell(value, cell.number_format or "General")


@contextmanager
def damage(where: object) -> Iterator[None]:
    """Turn whatever openpyxl runs into in a damaged file into an InputError, without its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise InputError(
            f"{where}: damaged or no Excel workbook ({type(error).__name__}): save it again as .xlsx"
        ) from error


def _check_kind(path: Location) -> None:
    """Raise InputError if the first bytes are not those of a workbook."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith(b"PK"):
            return
        if start != _COMPOUND_FILE:
            raise InputError(f"{path} is no Excel workbook: if it is a CSV, call it .csv")
        file.seek(0)
        # The name begins an entry of 128 bytes, and so lies in one piece.
        is_encrypted = any(_ENCRYPTED in piece for piece in iter(partial(file.read, 1 << 20), b""))
    if is_encrypted:
        raise InputError(f"{path} is encrypted: save it without a password")
    raise InputError(f"{path} is a workbook of Excel 97 to 2003 (.xls): save it as .xlsx or CSV (UTF-8)")


def _check_unpacked(path: Location, archive: ZipFile) -> None:
    packed, unpacked = path.stat().st_size, sum(member.file_size for member in archive.infolist())
    if unpacked > max(UNPACKED_BYTES, UNPACKED_RATIO * packed):
        raise InputError(
            f"{path} unpacks from {packed:,} to {unpacked:,} bytes, as a decompression bomb does: "
            "save it as CSV"
        )


class WorkbookWriter:
    """A workbook of one sheet, written row by row; `save` gives it its file, leaving without it ends it."""

    def __init__(self, title: str) -> None:
        self._workbook = openpyxl.Workbook(write_only=True)
        self._sheet = self._workbook.create_sheet(title)
        self._rows = 0

    def __enter__(self) -> WorkbookWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        if not self._sheet.closed:
            self._sheet.close()

    def append(self, values: Sequence[Any]) -> None:
        """Write a row, each value as what it is: no text becomes a formula.

        Raises InputError for more than a sheet holds.
        """
        self._rows += 1
        if self._rows > MAX_ROWS or len(values) > MAX_COLUMNS:
            held = f"{MAX_ROWS:,} rows and {MAX_COLUMNS:,} columns"
            raise InputError(f"there is more than a sheet's {held}: write a .csv", option="output")
        self._sheet.append([self._cell(value) for value in values])

    def save(self, path: Path) -> None:
        self._workbook.save(path)

    def _cell(self, value: Any) -> Any:
        form = "General"
        if isinstance(value, Cell):
            value, form = value
        value = _storable(value)
        if isinstance(value, str):
            if (length := len(value.encode("utf-16-le")) // 2) > MAX_CHARACTERS:
                raise InputError(
                    f"row {self._rows}: a text of {length:,} characters, and a sheet's cell holds "
                    f"{MAX_CHARACTERS:,}: write a .csv",
                    option="output",
                )
            value = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
        if form == "General" and not (isinstance(value, str) and value.startswith(("=", "#"))):
            return value
        cell = WriteOnlyCell(self._sheet, value)
        if isinstance(value, str):
            cell.data_type = "s"  # and neither a formula nor an error
        else:
            cell.number_format = form
        return cell


def _storable(value: Any) -> Any:
    """Return a value as a cell can hold it without loss: as text what it has no type for."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**MAX_DIGITS else str(value)
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value if value.tzinfo is None and value.year >= 1900 else str(value)
    if isinstance(value, date):
        return value if value.year >= 1900 else str(value)
    return value if isinstance(value, time | timedelta) else str(value)
