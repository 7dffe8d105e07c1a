"""The tables that `predict` reads and writes: CSV by bytes, Parquet by batches."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..csv_line import csv_line
from ..errors import InputError
from ..tables import columns as cells
from ..tables.blocks import Block, CsvBlocks, Place, fields
from ..tables.columns import Column
from ..tables.faults import BadRow
from ..tables.kernels import Bounds, Bytes, undouble_quotes
from .image_table import ImageFolder

ROWS = 16_384  # of a Parquet file, at a time


class Batch(NamedTuple):
    """Some rows: text i is `data[texts[i, 0]:texts[i, 1]]`, UTF-8. `rows` is what they were read from."""

    data: NDArray[np.uint8]
    texts: NDArray[np.int64]
    rows: Any  # a Block, or a pyarrow table
    bad: list[BadRow]
    place: Place  # where the next batch begins
    read: int  # bytes of the file that were consumed


class BlockTable:
    """What is read in blocks of bytes: a CSV, standard input, or the files of a folder."""

    def __init__(self, blocks: CsvBlocks | ImageFolder, harmless: bool) -> None:
        """With `harmless`, no cell that is written on begins as a formula."""
        self._blocks = blocks
        self._column = 0
        self.harmless = harmless
        self.header = blocks.header
        self.delimiter = blocks.delimiter
        self.bytes_total = blocks.bytes_total

    def choose(self, name: str) -> None:
        """The column of the text. Raises InputError if it is missing."""
        self._column = self._blocks.column(name, "TEXT")

    def batches(self, place: Place | None) -> Iterator[Batch]:
        for block in self._blocks.blocks(self._column, place):
            data, texts = block.data, block.texts
            if block.doubled.any():
                single, texts = undouble_quotes(data, texts, block.doubled, len(data))
                data = np.concatenate([data, single])
            yield Batch(data, texts, block, block.bad, block.place, self._blocks.bytes_read)

    def without(self, batch: Batch, refused: list[str]) -> Batch:
        """Less the rows that have a reason in `refused`; they are bad rows."""
        block: Block = batch.rows
        good = np.array([not reason for reason in refused])
        raw = block.data.tobytes()
        bad = [
            BadRow(first, last, refused[row], raw[slice(*block.records[row])].decode())
            for row in np.flatnonzero(~good).tolist()
            for first, last in [block.lines[row].tolist()]
        ]
        rows = block._replace(records=block.records[good], lines=block.lines[good])
        return batch._replace(rows=rows, bad=sorted(batch.bad + bad))

    def lines(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """The batch's rows as they stand, and the columns behind them."""
        block: Block = batch.rows
        data, records = block.data, block.records
        if self.harmless:
            data, records = _harmless(fields(block, self.delimiter), self.delimiter)
            columns = [cells.harmless(column) for column in columns]
        return cells.lines(data, records, columns, self.delimiter)

    def arrow(self, batch: Batch, columns: Sequence[Column]) -> Any:
        """The same as a pyarrow table; what CSV holds are strings."""
        import pyarrow as pa

        rows = fields(batch.rows, self.delimiter)
        values = zip(*rows, strict=True) if rows else [()] * len(self.header)
        kept = {name: pa.array(each, pa.string()) for name, each in zip(self.header, values, strict=True)}
        return pa.table(kept | {column.name: column.arrow() for column in columns})


class ParquetTable:
    """A Parquet file. Raises InputError for one that cannot be read."""

    delimiter = ","

    def __init__(self, path: Path, harmless: bool) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._path = path
        self.harmless = harmless
        self._column = ""
        try:
            self._file = pq.ParquetFile(path, memory_map=True)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path}: damaged or no Parquet file ({error}): write it again") from error
        self.header: list[str] = self._file.schema_arrow.names
        name, count = Counter(self.header).most_common(1)[0] if self.header else ("", 0)
        if count > 1:
            raise InputError(f"{path}: {count} columns are named '{name}': give each its own name")
        self.bytes_total = path.stat().st_size

    def choose(self, name: str) -> None:
        """The column of the text. Raises InputError if it is missing or holds no strings."""
        import pyarrow as pa

        if name not in self.header:
            known = ", ".join(f"'{one}'" for one in self.header[:20])
            raise InputError(f"{self._path}: there is no column '{name}' among {known}: name one with TEXT=")
        kind = self._file.schema_arrow.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(
                f"{self._path}: column '{name}' holds {kind}, not strings: name another with TEXT="
            )
        self._column = name

    def batches(self, place: Place | None) -> Iterator[Batch]:
        """ROWS at a time; the place's `line` is how many rows stand before it."""
        import pyarrow as pa

        rows, behind = 0, place.line if place else 0
        try:
            for found in self._file.iter_batches(ROWS):
                found.validate(full=True)  # whether strings are UTF-8, too
                rows += found.num_rows
                if rows <= behind:
                    continue
                texts = found.column(self._column).cast(pa.large_string()).fill_null("")
                _, offsets, data = texts.buffers()
                bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
                read = self.bytes_total * rows // max(1, self._file.metadata.num_rows)
                content = np.frombuffer(data or b"", np.uint8)
                texts_bounds = np.stack([bounds[:-1], bounds[1:]], axis=1)
                table, next_place = pa.Table.from_batches([found]), Place(0, rows, 0, False)
                yield Batch(content, texts_bounds, table, [], next_place, read)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{self._path}, after row {rows}: damaged ({error}): write it again") from error

    def without(self, batch: Batch, refused: list[str]) -> Batch:
        """Less the rows that have a reason in `refused`; they are bad rows, numbered from 1."""
        import pyarrow as pa

        good = [not reason for reason in refused]
        numbers = range(batch.place.line - len(refused) + 1, batch.place.line + 1)
        bad = [
            BadRow(number, number, reason, batch.data[slice(*bounds)].tobytes().decode())
            for number, reason, bounds in zip(numbers, refused, batch.texts.tolist(), strict=True)
            if reason
        ]
        return batch._replace(rows=batch.rows.filter(pa.array(good)), bad=bad)

    def arrow(self, batch: Batch, columns: Sequence[Column]) -> Any:
        """The batch's rows as a pyarrow table, with the columns."""
        table = batch.rows
        for column in columns:
            table = table.append_column(column.name, column.arrow())
        return table

    def lines(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """The same as lines of CSV."""
        values = [one.to_pylist() for one in batch.rows.columns]
        rows = [["" if value is None else str(value) for value in row] for row in zip(*values, strict=True)]
        if self.harmless:
            data, bounds = _harmless(rows, ",")
            columns = [cells.harmless(column) for column in columns]
        else:
            data, bounds = _records(rows, ",")
        return cells.lines(data, bounds, columns, ",")


def packed(lines: bytes) -> bytes:
    """A member of a gzip file; members follow one another, and so can be made side by side."""
    return gzip.compress(lines, 6, mtime=0)


def _records(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[Bytes, Bounds]:
    return cells.laid_out([csv_line(row, delimiter)[:-1] for row in rows])


def _harmless(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[Bytes, Bounds]:
    return _records([cells.escaped(row) for row in rows], delimiter)
