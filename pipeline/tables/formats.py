"""The formats of tables, by the names of their files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..delimited.blocks import CsvBlocks
from ..delimited.layout import Layout
from .block_table import BlockTable
from .table import Table


@contextmanager
def open_table(path: Path | None, layout: Layout, harmless: bool = False) -> Iterator[Table]:
    """Open a table for one pass over its rows; without a path, standard input, which is delimited text.

    `layout` is what is told of delimited text; if `harmless`, no cell that is written begins like a formula.
    Raises InputError for a file that cannot be read.
    """
    if path and path.suffix == ".parquet":
        from .parquet_table import ParquetTable  # here, as pyarrow takes long to import

        yield ParquetTable(path, harmless)
    else:
        with CsvBlocks(path, layout) as blocks:
            yield BlockTable(blocks, harmless)


def gzip_member(lines: bytes) -> bytes:
    """Return a member of a gzip file: members follow one another, and so threads can make them."""
    return gzip.compress(lines, 6, mtime=0)
