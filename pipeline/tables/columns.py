"""Columns that a prediction adds to a table, as cells of a CSV and as Arrow arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..csv_line import quoted
from . import kernels
from .kernels import Bounds, Bytes

RISKY = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula


class Column(Protocol):
    """A cell for each row."""

    @property
    def name(self) -> str: ...

    def cells(self, delimiter: str) -> tuple[Bytes, Bounds]:
        """Row i's is `bytes[bounds[i, 0]:bounds[i, 1]]`, quoted where CSV needs it."""
        ...

    def arrow(self) -> Any:
        """A pyarrow array."""
        ...


@dataclass(frozen=True)
class Names:
    """`names[codes[i]]`; codes int64 [rows]."""

    name: str
    codes: NDArray[np.int64]
    names: Sequence[str]

    def cells(self, delimiter: str) -> tuple[Bytes, Bounds]:
        data, bounds = laid_out([quoted(name, delimiter) for name in self.names])
        return data, bounds[self.codes]

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.names, pa.string()).take(pa.array(self.codes))


@dataclass(frozen=True)
class Numbers:
    """float32 [rows], each of 0..1, with four decimals."""

    name: str
    values: NDArray[np.float32]

    def cells(self, delimiter: str) -> tuple[Bytes, Bounds]:
        digits = kernels.format_decimals(self.values)
        starts = np.arange(len(digits), dtype=np.int64) * digits.shape[1]
        return digits.ravel(), np.stack([starts, starts + digits.shape[1]], axis=1)

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.values)


@dataclass(frozen=True)
class Texts:
    """A text for each row."""

    name: str
    texts: Sequence[str]

    def cells(self, delimiter: str) -> tuple[Bytes, Bounds]:
        return laid_out([quoted(text, delimiter) for text in self.texts])

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.array(self.texts, pa.string())


def lines(data: Bytes, records: Bounds, columns: Sequence[Column], delimiter: str) -> bytes:
    """CSV: the records of `data`, as they stand, each with its cells behind it and a line end."""
    parts, bounds, start = [], np.empty((len(columns), len(records), 2), np.int64), 0
    for number, column in enumerate(columns):
        part, places = column.cells(delimiter)
        bounds[number] = places + start
        parts.append(part)
        start += len(part)
    return kernels.append_cells(data, records, np.concatenate(parts), bounds, ord(delimiter)).tobytes()


def harmless(column: Column) -> Column:
    """With an apostrophe before every cell that a spreadsheet would run as a formula: of a label, as a number
    begins with a digit and what n-grams add with a bracket."""
    return replace(column, names=escaped(column.names)) if isinstance(column, Names) else column


def escaped(values: Sequence[str]) -> list[str]:
    """The same of the values of a row."""
    return [f"'{value}" if value.startswith(RISKY) else value for value in values]


def laid_out(pieces: Sequence[bytes]) -> tuple[Bytes, Bounds]:
    """The pieces end to end, and where each of them starts and ends, int64 [pieces, 2]."""
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    bounds = np.stack([ends - [len(piece) for piece in pieces], ends], axis=1)
    return np.frombuffer(b"".join(pieces), np.uint8), bounds.reshape(-1, 2).astype(np.int64)
