"""Columns that a prediction adds to a table, as cells of a CSV and as Arrow arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes
from ..csv_line import Dialect
from . import kernels
from .kernels import Bounds

# By which a spreadsheet recognises a formula; some take the full-width signs for the ordinary ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Column(Protocol):
    """A named column with a cell for each row."""

    @property
    def name(self) -> str: ...

    def cells(self, dialect: Dialect) -> tuple[Bytes, Bounds]:
        """Return the cells, quoted where needed: row i has `bytes[bounds[i, 0]:bounds[i, 1]]`."""
        ...

    def arrow(self) -> Any:
        """Return the cells as a pyarrow array."""
        ...


@dataclass(frozen=True)
class NameColumn:
    """A column with one of a few names in each row: `names[codes[row]]`, with `codes` int64 [rows]."""

    name: str
    codes: NDArray[np.int64]
    names: Sequence[str]

    def cells(self, dialect: Dialect) -> tuple[Bytes, Bounds]:
        data, bounds = concatenate([dialect.cell(name) for name in self.names])
        return data, bounds[self.codes]

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.names, pa.string()).take(pa.array(self.codes))


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers of 0..1, float32 [rows], written with four decimals."""

    name: str
    values: NDArray[np.float32]

    def cells(self, dialect: Dialect) -> tuple[Bytes, Bounds]:
        digits = kernels.format_decimals(self.values)
        starts = np.arange(len(digits), dtype=np.int64) * digits.shape[1]
        return digits.ravel(), np.stack([starts, starts + digits.shape[1]], axis=1)

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.values)


@dataclass(frozen=True)
class TextColumn:
    """A column with a text for each row."""

    name: str
    texts: Sequence[str]

    def cells(self, dialect: Dialect) -> tuple[Bytes, Bounds]:
        return concatenate([dialect.cell(text) for text in self.texts])

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.texts, pa.string())


def append_columns(data: Bytes, records: Bounds, columns: Sequence[Column], dialect: Dialect) -> bytes:
    """Return CSV lines: each record of `data` unchanged, then its cells of the columns, then a line end."""
    contents, bounds, start = [], np.empty((len(columns), len(records), 2), np.int64), 0
    for number, column in enumerate(columns):
        content, content_bounds = column.cells(dialect)
        bounds[number] = content_bounds + start
        contents.append(content)
        start += len(content)
    return kernels.append_cells(
        data, records, np.concatenate(contents), bounds, ord(dialect.delimiter)
    ).tobytes()


def escape_formulas(column: Column) -> Column:
    """Return the column with an apostrophe before each name that a spreadsheet would run as a formula.

    Other columns stay: a number begins with a digit, and the JSON of the evidence with a bracket.
    """
    if isinstance(column, NameColumn):
        return replace(column, names=escape_values(column.names))
    return column


def escape_values(values: Sequence[str]) -> list[str]:
    """Return the values of a row with an apostrophe before each that a spreadsheet would run as a formula."""
    return [f"'{value}" if value.startswith(FORMULA_STARTS) else value for value in values]


def concatenate(cells: Sequence[bytes]) -> tuple[Bytes, Bounds]:
    """Return the cells end to end, and the start and the end of each, int64 [cells, 2]."""
    lengths = np.array([len(cell) for cell in cells], np.int64)
    ends = lengths.cumsum()
    return np.frombuffer(b"".join(cells), np.uint8), np.stack([ends - lengths, ends], axis=1)
