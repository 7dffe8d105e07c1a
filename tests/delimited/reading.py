"""Reading of small CSV files, for the tests of this room."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.delimited.blocks import CsvBlocks
from pipeline.delimited.faults import BadRow
from pipeline.delimited.layout import Layout
from pipeline.delimited.records import FIELD_LIMIT, Block, Place
from pipeline.errors import InputError


class Row(NamedTuple):
    """A record as wide as the header, and its first and last physical line, from 1."""

    first_line: int
    last_line: int
    values: list[str]


class CsvFile(CsvBlocks):
    """A file as in `CsvBlocks`; iterating yields each `Row` and `BadRow`, in file order."""

    def __init__(
        self, path: Path, encoding: str = "utf-8", field_limit: int = FIELD_LIMIT, **layout: object
    ) -> None:
        super().__init__(path, Layout(encoding, **layout), field_limit, 1 << 16)

    def __enter__(self) -> CsvFile:
        super().__enter__()
        self._rows = self._in_order()
        return self

    def __iter__(self) -> Iterator[Row | BadRow]:
        return self._rows

    def _in_order(self) -> Iterator[Row | BadRow]:
        for block in self.blocks(0):
            rows: list[Row | BadRow] = list(map(Row, *block.lines.T.tolist(), self.values(block)))
            yield from sorted([*rows, *block.bad], key=attrgetter("first_line"))


def read(path, content, encoding="utf-8", **options):
    path.write_bytes(content)
    with CsvFile(path, encoding, **options) as file:
        return file.header, list(file)


def rows(path, content, **options):
    return read(path, content, **options)[1]


def refusal(path, content, encoding="utf-8"):
    with pytest.raises(InputError) as error:
        read(path, content, encoding)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


class ReadRecord(NamedTuple):
    """A record: its lines, its fields, the text as it stands and as the field says."""

    first_line: int
    last_line: int
    values: list[str]
    text: str


def contents(file: CsvBlocks, block: Block, column: int) -> list[ReadRecord | BadRow]:
    """What a block holds, in file order."""
    found: list[ReadRecord | BadRow] = list(block.bad)
    assert [row.first_line for row in block.bad] == sorted(row.first_line for row in block.bad)
    for number, (start, end) in enumerate(block.records):
        (values,) = csv.reader([block.data[start:end].tobytes().decode()], delimiter=file.dialect.delimiter)
        start, end = block.texts[number]
        text = block.data[start:end].tobytes().decode()
        if block.doubled[number]:
            assert '""' in text
            text = text.replace('""', '"')
        assert text == values[column]
        first, last = block.lines[number].tolist()
        found.append(ReadRecord(first, last, values, text))
    return sorted(found, key=lambda row: row.first_line)


def read_blocks(
    path: Path | None, encoding: str = "utf-8", column: int = 0, place: Place | None = None, **limits: int
) -> list[ReadRecord | BadRow]:
    with CsvBlocks(path, Layout(encoding), **limits) as file:
        return [row for block in file.blocks(column, place) for row in contents(file, block, column)]


def plain(found: list[ReadRecord | BadRow]) -> list[tuple[object, ...]]:
    return [tuple(row) if isinstance(row, BadRow) else tuple(row[:3]) for row in found]
