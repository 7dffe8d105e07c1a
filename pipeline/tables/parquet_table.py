"""A table in a Parquet file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..csv_line import CSV
from ..delimited.faults import BadRow
from ..delimited.records import Place
from ..errors import InputError
from . import columns as cells
from .columns import Column
from .parquet import ParquetBatches
from .table import Batch

SHOWN_COLUMNS = 20  # in an error


class ParquetTable:
    """A Parquet file. Opening raises InputError for one that cannot be read."""

    def __init__(self, path: Path, harmless: bool) -> None:
        self.name = str(path)
        self.harmless = harmless
        self._column = ""
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

    def select_column(self, name: str) -> None:
        self.column(name, "source.text")
        kind = self._batches.schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(f"{self.name}: column '{name}' holds {kind}, not strings", option="source.text")
        self._column = name

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        """Yield the rows; the `line` of a place is the number of rows before it."""
        rows, start = 0, place.line if place else 0
        for group in self._batches:
            rows += group.num_rows
            if rows <= start:
                continue
            texts = group.column(self._column).cast(pa.large_string()).fill_null("")
            _, offsets, data = texts.buffers()
            bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            # Of the buffer, which may be that of a larger batch, the part with these rows.
            content = np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]
            numbers = np.arange(rows - group.num_rows + 1, rows + 1)
            yield Batch(
                data=content,
                texts=np.stack([bounds[:-1], bounds[1:]], axis=1) - bounds[0],
                lines=np.stack([numbers, numbers], axis=1),
                rows=pa.Table.from_batches([group]),
                bad=[],
                place=Place(0, rows, 0, False),
                read=self.bytes_total * rows // max(1, self._batches.rows),
            )

    def values(self, batch: Batch) -> Iterator[list[str]]:
        columns = [column.to_pylist() for column in batch.rows.columns]
        return (["" if value is None else str(value) for value in row] for row in zip(*columns, strict=True))

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
        names = [*self.header, *added]
        return CSV.line(cells.escape_values(names) if self.harmless else names)

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        table = batch.rows
        for column in columns:
            table = table.append_column(column.name, column.arrow())
        return table

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        rows = self.values(batch)
        if self.harmless:
            rows = map(cells.escape_values, rows)
            columns = [cells.escape_formulas(column) for column in columns]
        data, bounds = cells.concatenate([CSV.line(row)[:-1] for row in rows])
        return cells.append_columns(data, bounds, columns, CSV)
