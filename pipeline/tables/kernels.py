"""Compiled loops that write the bytes of CSV lines: decimals, and cells appended to records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes
from ..compilation.kernel import prebuilt_kernel

Bounds = NDArray[np.int64]

_LINE_FEED, _POINT, _ZERO = 10, 46, 48
DECIMALS = 4


@prebuilt_kernel("u1[::1], i8[:, ::1], u1[::1], i8[:, :, ::1], i8")
def append_cells(data: Bytes, records: Bounds, content: Bytes, cells: Bounds, delimiter: int) -> Bytes:
    """Return CSV lines: each record of `data`, int64 [rows, 2], unchanged, then its cells, then a line end.

    Cell c of row r is `content[cells[c, r, 0]:cells[c, r, 1]]`, with `cells` int64 [cells, rows, 2].
    """
    size = (records[:, 1] - records[:, 0]).sum() + (cells[:, :, 1] - cells[:, :, 0]).sum()
    lines = np.empty(size + len(records) * (len(cells) + 1), np.uint8)
    length = 0
    for row in range(len(records)):
        for i in range(records[row, 0], records[row, 1]):
            lines[length] = data[i]
            length += 1
        for cell in range(len(cells)):
            lines[length] = delimiter
            length += 1
            for i in range(cells[cell, row, 0], cells[cell, row, 1]):
                lines[length] = content[i]
                length += 1
        lines[length] = _LINE_FEED
        length += 1
    return lines


@prebuilt_kernel("f4[::1]")
def format_decimals(numbers: NDArray[np.float32]) -> Bytes:
    """Format float32 [n] of 0..1 as `f"{number:.4f}"` does: uint8 [n, 6]."""
    digits = np.empty((len(numbers), DECIMALS + 2), np.uint8)
    for row in range(len(numbers)):
        # A float32 has 24 significant bits and 10,000 has 14: their product is exact in float64, and so is
        # the rounding.
        remainder = np.int64(np.rint(np.float64(numbers[row]) * 10**DECIMALS))
        for i in range(DECIMALS + 1, 1, -1):
            digits[row, i] = _ZERO + remainder % 10
            remainder //= 10
        digits[row, 0], digits[row, 1] = _ZERO + remainder, _POINT
    return digits
