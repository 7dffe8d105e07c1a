"""The image files below a folder, as a table of their paths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from ..csv_line import CSV
from ..delimited.faults import BadRow
from ..delimited.records import Block, Place, field_values
from ..errors import InputError
from ..tables import columns
from ..terminal import visible
from .folder import FORMATS, file_problem, files_below, size_in_bytes

BLOCK_FILES = 1000


class PathTable:
    """All files below a folder except hidden ones, with the interface of `CsvBlocks`: one column, `path`.

    Rows are numbered from 1. A file that is no image by its name, or a link that leads to none, is a bad row.
    Entering raises InputError for a folder without files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.header = ["path"]
        self.dialect = CSV
        self.lead, self.mark = list[str](), b""
        self.bytes_read = 0

    def __enter__(self) -> PathTable:
        sizes = [size_in_bytes(file) for file in files_below(self.path)]
        if not sizes:
            raise InputError(f"{self.path}: no files in this folder: {FORMATS} images were expected")
        self.bytes_total = sum(sizes)
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def blocks(self, column: int, place: Place | None = None) -> Iterator[Block]:
        """Yield BLOCK_FILES files at a time; a place's `line` is the number of the last one before it."""
        start = place.line if place else 0
        files = islice(enumerate(files_below(self.path), 1), start, None)
        while chunk := list(islice(files, BLOCK_FILES)):
            self.bytes_read += sum(size_in_bytes(file) for _, file in chunk)
            problems = [file_problem(file) for _, file in chunk]
            good = [row for row, problem in zip(chunk, problems, strict=True) if not problem]
            bad = [
                BadRow(number, number, problem, visible(str(file)))
                for (number, file), problem in zip(chunk, problems, strict=True)
                if problem
            ]
            data, bounds = columns.concatenate([CSV.cell(str(file)) for _, file in good])
            plain, texts = columns.concatenate([str(file).encode() for _, file in good])
            numbers = np.array([number for number, _ in good], np.int64)
            yield Block(
                data=np.concatenate([data, plain]),
                records=bounds,
                texts=texts + len(data),
                doubled=np.zeros(len(good), np.bool_),
                lines=np.stack([numbers, numbers], axis=1),
                bad=bad,
                place=Place(0, chunk[-1][0], 0, False),
            )

    def values(self, block: Block) -> Iterator[list[str]]:
        """Yield the path of each row, a list of one."""
        return field_values(block, CSV)

    def written(self, text: bytes) -> bytes:
        """Return what is to be written as it is."""
        return text

    def column(self, name: str, option: str) -> int:
        """Return 0, the column of the paths, whatever its name was in training."""
        return 0
