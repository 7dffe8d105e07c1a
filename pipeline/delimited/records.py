"""The records of a stretch of a CSV file, as bytes with bounds, and their fields as strings."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..arrays import Bytes, Flags, Offsets
from ..csv_line import Dialect
from .faults import BadRow

FIELD_LIMIT = 1_000_000  # characters

_RECORDS_AT_ONCE = 512  # whose fields stay in the processor's cache until they are used
_csv_module = threading.Lock()


class Place(NamedTuple):
    """A position where a later pass over the file can resume: between two records, or inside a long line."""

    offset: int  # bytes of the unpacked file if it is UTF-8, else of its text in UTF-8
    line: int  # the last physical line before it
    spare: int  # bytes that may be read again after quotes that are never closed
    skipping: bool  # True inside a line that exceeds the limit, whose remainder is to be skipped


class Block(NamedTuple):
    """The n records found in a stretch of a file, and the rows at fault between them."""

    data: Bytes  # UTF-8
    records: Offsets  # [n, 2]: start and end of each record in `data`, without its line end
    texts: Offsets  # [n, 2]: start and end of the requested column's field, inside its quotes
    doubled: Flags  # [n]: True where that field contains doubled quotes
    lines: Offsets  # [n, 2]: the first and the last physical line of each record, from 1
    bad: list[BadRow]  # in file order
    place: Place  # where the next block begins


def fill_up(block: Block, missing: Offsets, dialect: Dialect) -> Block:
    """Return the block with so many empty fields, int64 [n], behind the last of each record."""
    if not missing.any():
        return block
    data = np.insert(block.data, np.repeat(block.records[:, 1], missing), ord(dialect.delimiter))
    after = np.cumsum(missing)
    shifts = np.stack([after - missing, after], axis=1)
    return block._replace(data=data, records=block.records + shifts, texts=block.texts + shifts[:, :1])


def field_values(block: Block, dialect: Dialect, field_limit: int = FIELD_LIMIT) -> Iterator[list[str]]:
    """Yield the fields of each record of a block; none may exceed `field_limit` characters."""
    data = block.data.tobytes()
    for start in range(0, len(block.records), _RECORDS_AT_ONCE):
        bounds = block.records[start : start + _RECORDS_AT_ONCE].T.tolist()
        records = [data[first:end].decode() for first, end in zip(*bounds, strict=True)]
        yield from parsed(records, dialect, field_limit)


def parsed(records: list[str], dialect: Dialect, field_limit: int, strict: bool = True) -> list[list[str]]:
    """Return the fields of each record; what csv has to say of one is an error only if `strict`."""
    # The csv module has one limit for the whole process: restore it for other readers.
    with _csv_module:
        limit_before = csv.field_size_limit(field_limit)
        try:
            return list(dialect.rows(records, strict))
        finally:
            csv.field_size_limit(limit_before)
