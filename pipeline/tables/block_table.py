"""A table that is read in blocks of bytes: delimited text, or the paths of the files below a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

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

    def __init__(self, blocks: Blocks, harmless: bool, dialect: Dialect | None = None) -> None:
        """Write the rows in another `dialect` than their own if one is given."""
        self._blocks = blocks
        self._columns = [0]
        self._dialect = dialect or blocks.dialect
        self.harmless = harmless
        self.name = blocks.name
        self.header = blocks.header
        self.bytes_total = blocks.bytes_total

    def column(self, name: str, option: str) -> int:
        return self._blocks.column(name, option)

    def select_columns(self, names: Sequence[str]) -> None:
        self._columns = [self.column(name, "source.text") for name in names]

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        for block in self._blocks.blocks(self._columns[0], place):
            data, texts = block.data, block.texts
            if len(self._columns) > 1:
                data, texts = cells.join_texts(self._blocks.values(block), self._columns)
            elif block.doubled.any():
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
        lead, dialect = self._blocks.lead, self._dialect
        if dialect != self._blocks.dialect:  # in which those lines are, that of the separator among them
            lead = []
        if self.harmless:
            lead = [_harmless_line(line, dialect) for line in lead]
        above = "".join(f"{line}\n" for line in lead).encode()
        header = cells.csv_header([*self.header, *added], dialect, self.harmless)
        return self._blocks.written(self._blocks.mark + above + header)

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        block: Block = batch.rows
        if self.harmless or self._dialect != self._blocks.dialect:
            lines = cells.csv_lines(self.values(batch), columns, self._dialect, self.harmless)
        else:
            lines = cells.append_columns(block.data, block.records, columns, self._dialect)
        return self._blocks.written(lines)

    def to_json(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        return cells.json_lines(self.header, self.values(batch), columns)

    def to_cells(self, batch: Batch, columns: Sequence[Column]) -> list[list[Any]]:
        return cells.append_values(self.values(batch), columns)

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        """Return the batch's rows, whose values are strings, with the columns as a pyarrow table."""
        return cells.arrow_table(self.header, list(self.values(batch)), columns)


def _harmless_line(line: str, dialect: Dialect) -> str:
    """Return a line above the header as it stands, or with its formulas escaped."""
    values = next(iter(parsed([line], dialect, len(line) + 1, strict=False)), [])
    escaped = cells.escape_values(values)
    return line if escaped == values else dialect.line(escaped).decode().removesuffix("\n")
