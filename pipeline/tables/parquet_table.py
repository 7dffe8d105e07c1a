"""A table in a Parquet file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ..csv_line import CSV, Dialect
from ..delimited.faults import BadRow
from ..delimited.records import Place
from ..errors import InputError
from ..stores.remote_file import Location
from . import columns as cells
from .columns import Column
from .parquet import ParquetBatches
from .table import Batch

SHOWN_COLUMNS = 20  # in an error


class ParquetTable:
    """A Parquet file. Opening raises InputError for one that cannot be read."""

    def __init__(self, path: Location, harmless: bool, dialect: Dialect = CSV) -> None:
        """Write the rows in `dialect` where lines are asked for."""
        self.name = str(path)
        self.harmless = harmless
        self._dialect = dialect
        self._columns: list[str] = []
        self._batches = ParquetBatches(path)
        self.header: list[str] = self._batches.schema.names
        name, count = Counter(self.header).most_common(1)[0] if self.header else ("", 0)
        if count > 1:
            raise InputError(f"{path}: {count} columns are named '{name}': give each its own name")
        self.bytes_total = path.stat().st_size

    def column(self, name: str, option: str) -> int:
        if name not in self.header:
            known = ", ".join(f"'{column}'" for column in self.header[:SHOWN_COLUMNS])
            raise InputError(f"{self.name}: there is no column '{name}' among {known}", option=option)
        return self.header.index(name)

    def select_columns(self, names: Sequence[str]) -> None:
        for name in names:
            self.column(name, "source.text")
            kind = self._batches.schema.field(name).type
            kind = kind.value_type if pa.types.is_dictionary(kind) else kind
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                message = f"{self.name}: column '{name}' holds {kind}, not strings"
                raise InputError(message, option="source.text")
        self._columns = list(names)

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        """Yield the rows; the `line` of a place is the number of rows before it."""
        rows, start = 0, place.line if place else 0
        for group in self._batches:
            rows += group.num_rows
            if rows <= start:
                continue
            data, texts = cells.join_arrow_texts([group.column(name) for name in self._columns])
            numbers = np.arange(rows - group.num_rows + 1, rows + 1)
            yield Batch(
                data=data,
                texts=texts,
                lines=np.stack([numbers, numbers], axis=1),
                rows=pa.Table.from_batches([group]),
                bad=[],
                place=Place(0, rows, 0, False),
                read=self.bytes_total * rows // max(1, self._batches.rows),
            )

    def values(self, batch: Batch) -> Iterator[list[str]]:
        return ([_text(value) for value in row] for row in _records(batch))

    def without(self, batch: Batch, problems: list[str]) -> Batch:
        good = np.array([not problem for problem in problems])
        bad = [
            BadRow(number, number, problem, batch.data[slice(*bounds)].tobytes().decode())
            for (number, _), problem, bounds in zip(
                batch.lines.tolist(), problems, batch.texts.tolist(), strict=True
            )
            if problem
        ]
        return batch._replace(rows=batch.rows.filter(pa.array(good)), lines=batch.lines[good], bad=bad)

    def csv_header(self, added: Sequence[str]) -> bytes:
        return cells.csv_header([*self.header, *added], self._dialect, self.harmless)

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        table = batch.rows
        for column in columns:
            table = table.append_column(column.name, column.arrow())
        return table

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        return cells.csv_lines(self.values(batch), columns, self._dialect, self.harmless)

    def to_json(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        rows = ([_finite(value) for value in row] for row in _records(batch))
        return cells.json_lines(self.header, rows, columns)

    def to_cells(self, batch: Batch, columns: Sequence[Column]) -> list[list[Any]]:
        return cells.append_values(_records(batch), columns)


def _records(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """Return the values of each row as Python's objects."""
    table: pa.Table = batch.rows
    return zip(*map(_objects, table.column_names, table.columns), strict=True)


def _objects(name: str, column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column as Python's objects: as text times that Python lacks, and bytes too."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError) as error:
        if pa.types.is_nested(column.type):
            raise InputError(
                f"column '{name}' holds times before year 1 or after 9999: write a .parquet", option="output"
            ) from error
        values = column.cast(pa.string()).to_pylist()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [value if value is None else value.decode("utf-8", "backslashreplace") for value in values]
    return values


def _finite(value: Any) -> Any:
    """Return a value with None for each number that JSON lacks."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str:
    """Return a value as text, 5.0 as 5: pandas has whole numbers so where some are missing, and NaN there."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if is_missing else str(value)
