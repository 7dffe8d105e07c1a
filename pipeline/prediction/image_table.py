"""The image files below a folder, as a table of their paths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from ..csv_line import quoted
from ..errors import InputError
from ..images.folder import files_below, shown, unfit_name
from ..tables import columns
from ..tables.blocks import Block, Place
from ..tables.faults import BadRow

BLOCK = 1000  # files


class ImageFolder:
    """All files below a folder but hidden ones, with the interface of `CsvBlocks`: one column, `path`.

    Rows are numbered from 1. A file whose name is not that of an image is a bad row. Raises InputError on
    opening a folder without files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = ["path"]
        self.delimiter = ","
        self.bytes_read = 0

    def __enter__(self) -> ImageFolder:
        sizes = [file.stat().st_size for file in files_below(self.path)]
        if not sizes:
            raise InputError(f"{self.path}: no files in this folder: png or jpg images were expected")
        self.bytes_total = sum(sizes)
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def blocks(self, column: int, place: Place | None = None) -> Iterator[Block]:
        """BLOCK files at a time; the place's `line` is the number of the last one before it."""
        behind = place.line if place else 0
        files = islice(enumerate(files_below(self.path), 1), behind, None)
        while some := list(islice(files, BLOCK)):
            self.bytes_read += sum(file.stat().st_size for _, file in some)
            good = [(number, str(file)) for number, file in some if not unfit_name(file)]
            bad = [
                BadRow(number, number, reason, shown(file))
                for number, file in some
                if (reason := unfit_name(file))
            ]
            data, bounds = columns.laid_out([quoted(path, self.delimiter) for _, path in good])
            plain, texts = columns.laid_out([path.encode() for _, path in good])
            numbers = np.array([number for number, _ in good], np.int64)
            yield Block(
                data=np.concatenate([data, plain]),
                records=bounds,
                texts=texts + len(data),
                doubled=np.zeros(len(good), np.bool_),
                lines=np.stack([numbers, numbers], axis=1),
                bad=bad,
                place=Place(0, some[-1][0], 0, False),
            )

    def column(self, name: str, option: str) -> int:
        """That of the paths, whatever its name was in training."""
        return 0
