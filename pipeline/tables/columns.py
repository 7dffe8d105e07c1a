"""Columns that a prediction adds to a table, as cells of a CSV, as values and as Arrow arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes
from ..csv_line import Dialect
from ..inputs import BOUNDARY
from . import kernels
from .kernels import Bounds

if TYPE_CHECKING:
    import pyarrow as pa

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

    def array(self) -> NDArray[Any]:
        """Return the cells as an array of texts or of numbers, with all their digits: [rows]."""
        ...

    def values(self) -> list[Any]:
        """Return the cells as a text or a number each, with the decimals that a CSV has."""
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

    def array(self) -> NDArray[Any]:
        return np.array(self.names, object)[self.codes]

    def values(self) -> list[Any]:
        return [self.names[code] for code in self.codes.tolist()]


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers of 0..1, float32 [rows], written with four decimals."""

    name: str
    numbers: NDArray[np.float32]

    def cells(self, dialect: Dialect) -> tuple[Bytes, Bounds]:
        digits = kernels.format_decimals(np.ascontiguousarray(self.numbers))
        starts = np.arange(len(digits), dtype=np.int64) * digits.shape[1]
        return digits.ravel(), np.stack([starts, starts + digits.shape[1]], axis=1)

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.numbers)

    def array(self) -> NDArray[Any]:
        return self.numbers

    def values(self) -> list[Any]:
        return [round(number, kernels.DECIMALS) for number in self.numbers.tolist()]


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

    def array(self) -> NDArray[Any]:
        return np.array(self.texts, object)

    def values(self) -> list[Any]:
        return list(self.texts)


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


def csv_header(names: Sequence[str], dialect: Dialect, harmless: bool) -> bytes:
    """Return the line of the names; if `harmless`, none begins like a formula."""
    return dialect.line(escape_values(names) if harmless else names)


def csv_lines(
    rows: Iterable[Sequence[str]], columns: Sequence[Column], dialect: Dialect, harmless: bool
) -> bytes:
    """Return rows of values as CSV lines, each with its cells of the columns.

    If `harmless`, no cell begins like a formula.
    """
    if harmless:
        rows = map(escape_values, rows)
        columns = [escape_formulas(column) for column in columns]
    data, records = concatenate([dialect.line(row)[:-1] for row in rows])
    return append_columns(data, records, columns, dialect)


def arrow_table(names: Sequence[str], rows: Sequence[Sequence[str]], columns: Sequence[Column]) -> pa.Table:
    """Return rows of values, which are strings, with the columns as a pyarrow table."""
    import pyarrow as pa

    values = zip(*rows, strict=True) if rows else [()] * len(names)
    kept = [pa.array(column, pa.string()) for column in values]
    added = {column.name: column.arrow() for column in columns}
    return pa.Table.from_arrays([*kept, *added.values()], [*_distinct(names), *added])


def json_lines(names: Sequence[str], rows: Iterable[Sequence[Any]], columns: Sequence[Column]) -> bytes:
    """Return rows of plain values as lines of a JSON object each, with the cells of the columns."""
    keys = [*_distinct(names), *(column.name for column in columns)]
    objects = (dict(zip(keys, row, strict=True)) for row in append_values(rows, columns))
    lines = [json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in objects]
    return "".join(lines).encode()


def append_values(rows: Iterable[Sequence[Any]], columns: Sequence[Column]) -> list[list[Any]]:
    """Return each row's values, and behind them its cells of the columns."""
    added = zip(*(column.values() for column in columns), strict=True)
    return [[*row, *more] for row, more in zip(rows, added, strict=True)]


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names with a number behind one that stood before: no reader of Parquet takes it twice."""
    distinct: dict[str, None] = {}
    for name in names:
        candidate, number = name, 1
        while candidate in distinct:
            number += 1
            candidate = f"{name}_{number}"
        distinct[candidate] = None
    return list(distinct)


def escape_formulas(column: Column) -> Column:
    """Return the column with an apostrophe before each name that a spreadsheet would run as a formula.

    Other columns stay: a number begins with a digit, and the JSON of the evidence with a bracket.
    """
    if isinstance(column, NameColumn):
        return replace(column, names=escape_values(column.names))
    return column


def escape_values(values: Iterable[Any]) -> list[Any]:
    """Return a row's values with an apostrophe before each text that a spreadsheet would run as a formula."""
    return [
        f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
        for value in values
    ]


def join_texts(rows: Iterable[Sequence[str]], columns: Sequence[int]) -> tuple[Bytes, Bounds]:
    """Return the texts of the columns of each row, joined by BOUNDARY, as `concatenate` does."""
    return concatenate([BOUNDARY.join([row[column] for column in columns]).encode() for row in rows])


def join_arrow_texts(columns: Sequence[pa.Array]) -> tuple[Bytes, Bounds]:
    """Return the texts of each row, joined by BOUNDARY, as `concatenate` does; a null is an empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [column.cast(pa.large_string()).fill_null("") for column in columns]
    boundary = pa.scalar(BOUNDARY, pa.large_string())
    return arrow_bytes(parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, boundary))


def arrow_bytes(values: pa.Array) -> tuple[Bytes, Bounds]:
    """Return an array of large strings, or of large binaries, as `concatenate` does, without a copy."""
    _, offsets, data = values.buffers()
    edges = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
    # Of the buffer, which may be that of a larger array, the part with these values.
    content = np.frombuffer(data or b"", np.uint8)[edges[0] : edges[-1]]
    return content, np.stack([edges[:-1], edges[1:]], axis=1) - edges[0]


def concatenate(cells: Sequence[bytes]) -> tuple[Bytes, Bounds]:
    """Return the cells end to end, and the start and the end of each, int64 [cells, 2]."""
    lengths = np.array([len(cell) for cell in cells], np.int64)
    ends = lengths.cumsum()
    return np.frombuffer(b"".join(cells), np.uint8), np.stack([ends - lengths, ends], axis=1)
