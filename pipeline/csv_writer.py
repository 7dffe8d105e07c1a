"""Writing CSV."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from pathlib import Path

DELIMITERS = ",\t;"  # those that a reader knows


class CsvWriter:
    """Write rows that `CsvFile` reads back equal: UTF-8, \\n line ends, gzip if the name ends with .gz."""

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self._path = path
        # In some versions csv quotes only those line ends that its own terminator holds. Given all that
        # a reader might take for structure, it quotes each of them; `write` puts \n in its place.
        self._end = "\r\n" + DELIMITERS.replace(delimiter, "")
        self._rows = csv.writer(self, delimiter=delimiter, lineterminator=self._end)

    def __enter__(self) -> CsvWriter:
        file = gzip.open if self._path.suffix == ".gz" else open
        self._text = file(self._path, "wt", encoding="utf-8", newline="")
        return self

    def __exit__(self, *exception: object) -> None:
        self._text.close()

    def row(self, values: Iterable[str | int | float]) -> None:
        self._rows.writerow(values)

    def rows(self, rows: Iterable[Iterable[str | int | float]]) -> None:
        self._rows.writerows(rows)

    def write(self, line: str) -> None:
        """Take a line from csv."""
        self._text.write(line.removesuffix(self._end) + "\n")
