"""Tables whose rows are read as lists of values: what such tables have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..csv_line import Dialect
from ..delimited.faults import BadRow, excerpt
from ..delimited.header import Top, find_column
from ..delimited.records import Place
from . import columns as cells
from .columns import Column
from .table import Batch

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_DIALECT = Dialect("\t", quotes=False)  # of the first rows, as the search for a column reads them


class Row(NamedTuple):
    """A row: its number in the file, a text for each column, and what it was read from."""

    number: int
    values: list[str]
    source: Any


class RowTable:
    """Rows of texts; a subclass sets `header` and `sample`, and reads the batches."""

    def __init__(self, name: str, harmless: bool, dialect: Dialect, bytes_total: int) -> None:
        """Write the rows in `dialect` where lines are asked for."""
        self.name = name
        self.harmless = harmless
        self.bytes_total = bytes_total
        self.header: list[str] = []
        self.header_line = 1
        self.sample: list[list[str]] = []  # the first rows from the header on
        self._dialect = dialect
        self._columns: list[int] = []
        self.asked: set[int] = set()  # columns whose values are used

    def column(self, name: str, option: str) -> int:
        lines = "\n".join("\t".join(row) for row in self.sample).encode("utf-8", "replace")
        top = Top(self.name, self.header_line, self.header, lines, SAMPLE_DIALECT)
        place = find_column(top, name, option)
        self.asked.add(place)
        return place

    def select_columns(self, names: Sequence[str]) -> None:
        self._columns = [self.column(name, "source.text") for name in names]

    def batch(self, rows: list[Row], bad: list[BadRow], place: Place, read: int) -> Batch:
        """Return a batch of rows, and of others that cannot be read."""
        data, texts = cells.join_texts((row.values for row in rows), self._columns)
        numbers = np.array([row.number for row in rows], np.int64)
        return Batch(data, texts, np.stack([numbers, numbers], axis=1), rows, bad, place, read)

    def values(self, batch: Batch) -> Iterator[list[str]]:
        return (row.values for row in batch.rows)

    def without(self, batch: Batch, problems: list[str]) -> Batch:
        bad = [
            bad_row(row.number, problem, row.values) for row, problem in _pairs(batch, problems) if problem
        ]
        good = np.array([not problem for problem in problems])
        rows = [row for row, problem in _pairs(batch, problems) if not problem]
        return batch._replace(rows=rows, lines=batch.lines[good], bad=sorted(batch.bad + bad))

    def csv_header(self, added: Sequence[str]) -> bytes:
        return cells.csv_header([*self.header, *added], self._dialect, self.harmless)

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        return cells.csv_lines(self.values(batch), columns, self._dialect, self.harmless)

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        return cells.arrow_table(self.header, list(self.values(batch)), columns)


def fault_of(values: Iterable[str]) -> str:
    """Return what is in a row that no table may hold, though an escape can stand for it; "" without it."""
    text = "".join(values)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "an escape of half a character"
    return "a NUL character" if "\0" in text else ""


def bad_row(number: int, reason: str, values: Sequence[str]) -> BadRow:
    """Return a row that cannot be read, as it is listed."""
    return BadRow(number, number, reason, excerpt("\t".join(values)))


def _pairs(batch: Batch, problems: list[str]) -> Iterator[tuple[Row, str]]:
    return zip(batch.rows, problems, strict=True)
