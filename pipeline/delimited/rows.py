"""Strict reading of CSV row by row."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from .blocks import CsvBlocks
from .faults import BadRow
from .records import FIELD_LIMIT

_BLOCK_BYTES = 1 << 16


class Row(NamedTuple):
    """A record as wide as the header, and its first and last physical line, from 1."""

    first_line: int
    last_line: int
    values: list[str]


class CsvFile(CsvBlocks):
    """A CSV file as in `CsvBlocks`; iterating yields each `Row` and `BadRow`, in file order."""

    def __init__(self, path: Path, encoding: str = "utf-8", field_limit: int = FIELD_LIMIT) -> None:
        super().__init__(path, encoding, field_limit, _BLOCK_BYTES)
        self._rows = self._in_order()

    def __enter__(self) -> CsvFile:
        super().__enter__()
        return self

    def __iter__(self) -> Iterator[Row | BadRow]:
        return self._rows

    def _in_order(self) -> Iterator[Row | BadRow]:
        for block in self.blocks(0):
            rows: list[Row | BadRow] = list(map(Row, *block.lines.T.tolist(), self.values(block)))
            if block.bad:
                rows = sorted([*rows, *block.bad], key=attrgetter("first_line"))
            yield from rows
