"""A table in a sheet of an Excel workbook."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from ..csv_line import Dialect
from ..delimited.faults import BadRow, misfit_reason
from ..delimited.layout import SAMPLE_RECORDS, Layout
from ..delimited.records import Place
from ..errors import InputError
from ..stores.remote_file import Location
from ..terminal import say
from . import columns as cells
from .columns import Column
from .row_table import Row, RowTable, bad_row, fault_of
from .table import Batch
from .xlsx import Cell, rows_of

BATCH_ROWS, BATCH_CHARACTERS = 4096, 1 << 20


class XlsxTable(RowTable):
    """The rows of one sheet below its header, the first row of the sheet with a value behind `layout.skip`.

    Cells are texts as a person sees them. A row is as wide as the first rows are; one with a value beyond
    cannot be read. Opening raises InputError for a sheet that there is not, and for one without rows.
    """

    def __init__(
        self, path: Location, workbook: Any, layout: Layout, harmless: bool, dialect: Dialect
    ) -> None:
        super().__init__(str(path), harmless, dialect, path.stat().st_size)
        self._path = path
        self._sheet = self._choose(workbook.worksheets, layout.sheet)
        rows = (row for row in rows_of(path, self._sheet) if row[0] > layout.skip)
        first = list(islice(rows, SAMPLE_RECORDS))
        if not first:
            behind = f" behind row {layout.skip}" if layout.skip else ""
            raise InputError(
                f"{path}: sheet '{self._sheet.title}' is empty{behind}: a header and rows were expected",
                option="source.sheet",
            )
        width = max(len(row) for _, row in first)
        self.sample = [[cell.text for cell in row] for _, row in first]
        self.header_line = first[0][0]
        self.header = self.sample[0] + [""] * (width - len(self.sample[0]))
        self._rows = chain(first[1:], rows)

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        """Yield the rows; the `line` of a place is the last one before it."""
        rows, bad, characters, start = list[Row](), list[BadRow](), 0, place.line if place else 0
        number = 0
        for number, row in self._rows:
            if number <= start:
                continue
            values = [cell.text for cell in row]
            too_wide = len(values) > len(self.header)
            if reason := misfit_reason("", len(values), len(self.header)) if too_wide else fault_of(values):
                bad.append(bad_row(number, reason, values))
            else:
                missing = len(self.header) - len(values)
                rows.append(Row(number, values + [""] * missing, row + [Cell(None)] * missing))
            characters += sum(map(len, values))
            if len(rows) + len(bad) >= BATCH_ROWS or characters > BATCH_CHARACTERS:
                yield self.batch(rows, bad, Place(0, number, 0, False), 0)
                rows, bad, characters = [], [], 0
        if rows or bad:
            yield self.batch(rows, bad, Place(0, number, 0, False), self.bytes_total)

    def to_json(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        rows = ([_plain(cell) for cell in row.source] for row in batch.rows)
        return cells.json_lines(self.header, rows, columns)

    def to_cells(self, batch: Batch, columns: Sequence[Column]) -> list[list[Any]]:
        rows = ([_stored(cell) for cell in row.source] for row in batch.rows)
        return cells.append_values(rows, columns)

    def _choose(self, sheets: Sequence[Any], given: str) -> Any:
        """Return the sheet of that name or number, else the first with a value; say so if others have one.

        Hidden sheets, such as those with the choices of a list, are read only if they are named.
        """
        names = [sheet.title for sheet in sheets]
        listed = ", ".join(f"'{name}'" for name in names)
        if given in names:
            return sheets[names.index(given)]
        if given.isascii() and given.isdigit() and 1 <= int(given) <= len(names):
            return sheets[int(given) - 1]
        if given:
            raise InputError(
                f"{self.name}: there is no sheet '{given}' among {listed}", option="source.sheet"
            )
        shown = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
        filled = [sheet for sheet in shown if next(rows_of(self._path, sheet), None)]
        if not filled:
            hidden = f" that is shown, only {listed}" if len(shown) < len(sheets) else ""
            raise InputError(
                f"{self.name} has no sheet with a value{hidden}: a header and rows were expected",
                option="source.sheet" if hidden else "",
            )
        if len(filled) > 1:
            rest = ", ".join(f"'{sheet.title}'" for sheet in filled[1:])
            message = f"{self.name}: sheet '{filled[0].title}' is read, the first; not {rest}"
            say(message, sys.stderr)
        return filled[0]


def _plain(cell: Cell) -> Any:
    """Return a number, a truth value or a text."""
    return cell.value if cell.value is None or isinstance(cell.value, (bool, int, float)) else cell.text


def _stored(cell: Cell) -> Any:
    """Return what a sheet takes: the value, with its number format if it has one of its own."""
    return cell.value if cell.number_format == "General" else cell
