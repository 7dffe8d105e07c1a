"""The formats of tables, by the names of their files."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from ..csv_line import CSV, Dialect
from ..delimited.blocks import CsvBlocks
from ..delimited.layout import Layout
from ..errors import InputError
from ..stores.remote_file import Location
from .block_table import BlockTable
from .table import Table

Form = Literal["csv", "tsv", "jsonl", "parquet", "xlsx"]
PACKED: tuple[Form, ...] = ("csv", "tsv", "jsonl")  # may be in gzip
FORMS: tuple[Form, ...] = (*PACKED, "parquet", "xlsx")
_NOT_WRITTEN = (".xls", ".xlsm", ".xlsb", ".ods", ".json", ".zip", ".bz2", ".xz", ".zst", ".html")
TAB = Dialect("\t")
_NDJSON = re.compile(r"\.ndjson(|\.gz)$")  # another name of the same


def form_of(path: Location) -> Form:
    """Return the form of a file by its name, which is CSV if it says nothing else."""
    name = _NDJSON.sub(r".jsonl\1", path.name.lower())
    if name.endswith(".gz"):
        return next((form for form in PACKED if name.endswith(f".{form}.gz")), "csv")
    return next((form for form in FORMS if name.endswith(f".{form}")), "csv")


def check_output(path: Location) -> None:
    """Raise InputError for a name that promises a form other than the one it would be written in."""
    form, suffix = form_of(path), path.suffix.lower()
    promised = Path(Path(path.name).stem).suffix.lower() if suffix == ".gz" else suffix
    is_packed = suffix == ".gz" and promised in (".parquet", ".xlsx")
    if form == "csv" and (is_packed or promised in _NOT_WRITTEN):
        raise InputError(
            f"{path.name} would be a CSV: end its name in .{', .'.join(FORMS)}, or, of the first "
            f"{len(PACKED)}, in .gz behind that",
            option="output",
        )


@contextmanager
def open_table(
    path: Location | None, layout: Layout, harmless: bool = False, output: Form | None = None
) -> Iterator[Table]:
    """Open a table for one pass over its rows; without a path, standard input, which is delimited text.

    `layout` is what is told of delimited text or of a workbook; if `harmless`, no cell that is written begins
    like a formula. `output` is the form that the rows will be written in, if it is known. Raises InputError
    for a file that cannot be read.
    """
    form = form_of(path) if path else "csv"
    dialect = TAB if output == "tsv" else CSV
    if path and form == "parquet":
        from .parquet_table import ParquetTable  # here, as pyarrow takes long to import

        yield ParquetTable(path, harmless, dialect)
    elif path and form == "xlsx":
        from .xlsx import open_workbook  # likewise openpyxl
        from .xlsx_table import XlsxTable

        with open_workbook(path) as workbook:
            yield XlsxTable(path, workbook, layout, harmless, dialect)
    elif path and form == "jsonl":
        from .jsonl_table import JsonlTable

        every_key = output not in (None, "jsonl")
        yield JsonlTable(path, layout.encoding, harmless, dialect, every_key)
    else:
        if form == "tsv" and not layout.separator:
            layout = layout._replace(separator="tab")
        with CsvBlocks(path, layout) as blocks:
            is_other = output in ("csv", "tsv") and output != form
            yield BlockTable(blocks, harmless, dialect if is_other else None)


def gzip_member(lines: bytes) -> bytes:
    """Return a member of a gzip file: members follow one another, and so threads can make them."""
    return gzip.compress(lines, 6, mtime=0)
