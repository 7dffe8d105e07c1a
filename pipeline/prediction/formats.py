"""The formats of tables with rows to label: CSV by bytes, Parquet by batches."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes
from ..csv_line import csv_line
from ..delimited.blocks import CsvBlocks
from ..delimited.faults import BadRow
from ..delimited.kernels import undouble_quotes
from ..delimited.records import Block, Place, field_values
from ..errors import InputError
from ..images.path_table import PathTable
from ..tables import columns as cells
from ..tables.columns import Column
from ..tables.kernels import Bounds

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_COLUMNS = 20  # in an error


class Batch(NamedTuple):
    """Some rows of a table: text i is `data[texts[i, 0]:texts[i, 1]]`, in UTF-8."""

    data: NDArray[np.uint8]
    texts: NDArray[np.int64]
    rows: Any  # what they were read from: a Block, or a pyarrow table
    bad: list[BadRow]
    place: Place  # where the next batch begins
    read: int  # bytes of the file that were consumed


class BlockTable:
    """A table that is read in blocks of bytes: a CSV, standard input, or the files of a folder."""

    def __init__(self, blocks: CsvBlocks | PathTable, harmless: bool) -> None:
        """If `harmless`, no cell of the output begins like a formula."""
        self._blocks = blocks
        self._column = 0
        self.harmless = harmless
        self.header = blocks.header
        self.delimiter = blocks.delimiter
        self.bytes_total = blocks.bytes_total

    def select_column(self, name: str) -> None:
        """Take the texts from this column. Raises InputError if it is missing."""
        self._column = self._blocks.column(name, "source.text")

    def batches(self, place: Place | None) -> Iterator[Batch]:
        """Yield the rows, from the place on at which an earlier pass stopped."""
        for block in self._blocks.blocks(self._column, place):
            data, texts = block.data, block.texts
            if block.doubled.any():
                single, texts = undouble_quotes(data, texts, block.doubled, len(data))
                data = np.concatenate([data, single])
            yield Batch(data, texts, block, block.bad, block.place, self._blocks.bytes_read)

    def without(self, batch: Batch, problems: list[str]) -> Batch:
        """Return the batch with those rows that have a problem moved to the bad ones."""
        block: Block = batch.rows
        good = np.array([not problem for problem in problems])
        raw = block.data.tobytes()
        bad = [
            BadRow(first, last, problems[row], raw[slice(*block.records[row])].decode())
            for row in np.flatnonzero(~good).tolist()
            for first, last in [block.lines[row].tolist()]
        ]
        rows = block._replace(records=block.records[good], lines=block.lines[good])
        return batch._replace(rows=rows, bad=sorted(batch.bad + bad))

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """Return the batch's rows as they stand, each followed by its cells of the columns."""
        block: Block = batch.rows
        data, records = block.data, block.records
        if self.harmless:
            data, records = _harmless(field_values(block, self.delimiter), self.delimiter)
            columns = [cells.escape_formulas(column) for column in columns]
        return cells.append_columns(data, records, columns, self.delimiter)

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        """Return the batch's rows, whose values are strings, with the columns as a pyarrow table."""
        import pyarrow as pa

        rows = field_values(batch.rows, self.delimiter)
        values = zip(*rows, strict=True) if rows else [()] * len(self.header)
        kept = {name: pa.array(column, pa.string()) for name, column in zip(self.header, values, strict=True)}
        return pa.table(kept | {column.name: column.arrow() for column in columns})


class ParquetTable:
    """A Parquet file. Opening raises InputError for one that cannot be read."""

    delimiter = ","

    def __init__(self, path: Path, harmless: bool) -> None:
        from ..tables.parquet import ParquetBatches  # here, as pyarrow takes long to import

        self._path = path
        self.harmless = harmless
        self._column = ""
        self._batches = ParquetBatches(path)
        self.header: list[str] = self._batches.schema.names
        name, count = Counter(self.header).most_common(1)[0] if self.header else ("", 0)
        if count > 1:
            raise InputError(f"{path}: {count} columns are named '{name}': give each its own name")
        self.bytes_total = path.stat().st_size

    def select_column(self, name: str) -> None:
        """Take the texts from this column. Raises InputError if it is missing or holds no strings."""
        import pyarrow as pa

        if name not in self.header:
            known = ", ".join(f"'{column}'" for column in self.header[:SHOWN_COLUMNS])
            message = f"{self._path}: there is no column '{name}' among {known}"
            raise InputError(message, option="source.text")
        kind = self._batches.schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(f"{self._path}: column '{name}' holds {kind}, not strings", option="source.text")
        self._column = name

    def batches(self, place: Place | None) -> Iterator[Batch]:
        """Yield the rows; the `line` of a place is the number of rows before it."""
        import pyarrow as pa

        rows, start = 0, place.line if place else 0
        for group in self._batches:
            rows += group.num_rows
            if rows <= start:
                continue
            texts = group.column(self._column).cast(pa.large_string()).fill_null("")
            _, offsets, data = texts.buffers()
            bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            read = self.bytes_total * rows // max(1, self._batches.rows)
            # Of the buffer, which may be that of a larger batch, the part with these rows.
            content = np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]
            texts_bounds = np.stack([bounds[:-1], bounds[1:]], axis=1) - bounds[0]
            table, next_place = pa.Table.from_batches([group]), Place(0, rows, 0, False)
            yield Batch(content, texts_bounds, table, [], next_place, read)

    def without(self, batch: Batch, problems: list[str]) -> Batch:
        """Return the batch with those rows that have a problem moved to the bad ones, numbered from 1."""
        import pyarrow as pa

        good = [not problem for problem in problems]
        numbers = range(batch.place.line - len(problems) + 1, batch.place.line + 1)
        bad = [
            BadRow(number, number, problem, batch.data[slice(*bounds)].tobytes().decode())
            for number, problem, bounds in zip(numbers, problems, batch.texts.tolist(), strict=True)
            if problem
        ]
        return batch._replace(rows=batch.rows.filter(pa.array(good)), bad=bad)

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        """Return the batch's rows with the columns as a pyarrow table."""
        table = batch.rows
        for column in columns:
            table = table.append_column(column.name, column.arrow())
        return table

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """Return the batch's rows with the columns as lines of CSV."""
        values = [column.to_pylist() for column in batch.rows.columns]
        rows = [["" if value is None else str(value) for value in row] for row in zip(*values, strict=True)]
        if self.harmless:
            data, bounds = _harmless(rows, ",")
            columns = [cells.escape_formulas(column) for column in columns]
        else:
            data, bounds = _records(rows, ",")
        return cells.append_columns(data, bounds, columns, ",")


def gzip_member(lines: bytes) -> bytes:
    """Return a member of a gzip file: members follow one another, and so threads can make them."""
    return gzip.compress(lines, 6, mtime=0)


def _records(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[Bytes, Bounds]:
    return cells.concatenate([csv_line(row, delimiter)[:-1] for row in rows])


def _harmless(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[Bytes, Bounds]:
    return _records([cells.escape_values(row) for row in rows], delimiter)
