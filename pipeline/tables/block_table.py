"""A table that is read in blocks of bytes: delimited text, or the paths of the files below a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..csv_line import Dialect
from ..delimited.faults import BadRow
from ..delimited.kernels import undouble_quotes
from ..delimited.records import Block, Place, parsed
from . import columns as cells
from .columns import Column
from .table import Batch

if TYPE_CHECKING:
    import pyarrow as pa


class Blocks(Protocol):
    """What gives the blocks; see `CsvBlocks`."""

    @property
    def name(self) -> str: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def dialect(self) -> Dialect: ...
    @property
    def bytes_total(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def lead(self) -> list[str]: ...
    @property
    def mark(self) -> bytes: ...
    def column(self, name: str, option: str) -> int: ...
    def blocks(self, column: int, place: Place | None = None) -> Iterator[Block]: ...
    def values(self, block: Block) -> Iterator[list[str]]: ...
    def written(self, text: bytes) -> bytes: ...


class BlockTable:
    """Rows that are written as they stand, byte for byte, with more cells behind them."""

    def __init__(self, blocks: Blocks, harmless: bool) -> None:
        self._blocks = blocks
        self._column = 0
        self.harmless = harmless
        self.name = blocks.name
        self.header = blocks.header
        self.bytes_total = blocks.bytes_total

    def column(self, name: str, option: str) -> int:
        return self._blocks.column(name, option)

    def select_column(self, name: str) -> None:
        self._column = self.column(name, "source.text")

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        for block in self._blocks.blocks(self._column, place):
            data, texts = block.data, block.texts
            if block.doubled.any():
                single, texts = undouble_quotes(data, texts, block.doubled, len(data))
                data = np.concatenate([data, single])
            yield Batch(data, texts, block.lines, block, block.bad, block.place, self._blocks.bytes_read)

    def values(self, batch: Batch) -> Iterator[list[str]]:
        return self._blocks.values(batch.rows)

    def without(self, batch: Batch, problems: list[str]) -> Batch:
        block: Block = batch.rows
        good = np.array([not problem for problem in problems])
        raw = block.data.tobytes()
        bad = [
            BadRow(first, last, problems[row], raw[slice(*block.records[row])].decode())
            for row in np.flatnonzero(~good).tolist()
            for first, last in [block.lines[row].tolist()]
        ]
        rows = block._replace(records=block.records[good], lines=block.lines[good])
        return batch._replace(rows=rows, lines=rows.lines, bad=sorted(batch.bad + bad))

    def csv_header(self, added: Sequence[str]) -> bytes:
        """Return what stands in the file above its rows, with the added names behind those of its columns."""
        names, lead, dialect = [*self.header, *added], self._blocks.lead, self._blocks.dialect
        if self.harmless:
            names, lead = cells.escape_values(names), [_harmless_line(line, dialect) for line in lead]
        above = "".join(f"{line}\n" for line in lead).encode()
        return self._blocks.written(self._blocks.mark + above + dialect.line(names))

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        block, dialect = batch.rows, self._blocks.dialect
        data, records = block.data, block.records
        if self.harmless:
            lines = [dialect.line(cells.escape_values(row))[:-1] for row in self.values(batch)]
            data, records = cells.concatenate(lines)
            columns = [cells.escape_formulas(column) for column in columns]
        return self._blocks.written(cells.append_columns(data, records, columns, dialect))

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        """Return the batch's rows, whose values are strings, with the columns as a pyarrow table."""
        import pyarrow as pa

        rows = list(self.values(batch))
        values = zip(*rows, strict=True) if rows else [()] * len(self.header)
        kept = [pa.array(column, pa.string()) for column in values]
        added = {column.name: column.arrow() for column in columns}
        return pa.Table.from_arrays([*kept, *added.values()], [*_distinct(self.header), *added])


def _harmless_line(line: str, dialect: Dialect) -> str:
    """Return a line above the header as it stands, or with its formulas escaped."""
    values = next(iter(parsed([line], dialect, len(line) + 1, strict=False)), [])
    escaped = cells.escape_values(values)
    return line if escaped == values else dialect.line(escaped).decode().removesuffix("\n")


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
