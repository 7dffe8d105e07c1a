"""Strict CSV, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from .blocks import FIELD_LIMIT, CsvBlocks
from .faults import BadRow

_BLOCK = 1 << 16  # bytes


class Row(NamedTuple):
    """A record as wide as the header, and the physical lines (from 1) that it stands on."""

    first_line: int
    last_line: int
    values: list[str]


class CsvFile(CsvBlocks):
    """A CSV file as `CsvBlocks` has it; iterating yields `Row` and `BadRow`, and goes on after a bad one."""

    def __init__(self, path: Path, encoding: str = "utf-8", field_limit: int = FIELD_LIMIT) -> None:
        super().__init__(path, encoding, field_limit, _BLOCK)
        self._rows = self._in_order()

    def __enter__(self) -> CsvFile:
        super().__enter__()
        return self

    def __iter__(self) -> Iterator[Row | BadRow]:
        return self._rows

    def _in_order(self) -> Iterator[Row | BadRow]:
        for block in self.blocks(0):
            rows = map(Row, *block.lines.T.tolist(), self.values(block))
            found: list[Row | BadRow] = [*rows, *block.bad]
            yield from sorted(found, key=attrgetter("first_line")) if block.bad else found
