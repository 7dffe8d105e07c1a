"""Compiled loops over the bytes of CSV lines: quotes, decimals, and cells appended to records."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes
from ..numba_jit import kernel

Bounds = NDArray[np.int64]

_LINE_FEED, _CARRIAGE_RETURN, _POINT, _QUOTE, _ZERO = 10, 13, 46, 34, 48
_DECIMALS = 4
_BYTE_NUMBERS = np.uint64(0x0001020304050607)
_ONES = np.uint64(0x0101010101010101)


@kernel
def find_marks(data: Bytes, delimiter: np.uint8) -> Bounds:
    """Return the places of quotes, delimiters and line ends in `data`, int64 [marks].

    Compilers turn the first loop into vector instructions; the second one looks at eight bytes at a time.
    """
    flags = np.zeros((len(data) + 7) // 8 * 8, np.uint8)
    for i in range(len(data)):
        byte = data[i]
        flags[i] = (byte == _QUOTE) | (byte == delimiter) | (byte == _LINE_FEED) | (byte == _CARRIAGE_RETURN)
    words = flags.view(np.uint64)
    total = np.int64(0)
    for number in range(len(words)):
        total += np.int64((words[number] * _ONES) >> np.uint64(56))  # the product's top byte sums the bytes
    marks = np.empty(total, np.int64)
    count = 0
    for number in range(len(words)):
        word = words[number]
        while word:
            lowest = word & (~word + np.uint64(1))
            # The product's top byte is that of _BYTE_NUMBERS which the lowest flag shifts there.
            marks[count] = 8 * number + np.int64((lowest * _BYTE_NUMBERS) >> np.uint64(56))
            count += 1
            word ^= lowest
    return marks


@kernel
def undouble_quotes(
    data: Bytes, texts: Bounds, doubled: NDArray[np.bool_], start: int
) -> tuple[Bytes, Bounds]:
    """Return the texts that hold doubled quotes with single ones, laid end to end, and all texts' bounds.

    `texts` is int64 [rows, 2], `doubled` bool [rows]. The new bounds of those texts count from `start`, where
    the caller appends the bytes returned; the other texts' bounds stay.
    """
    size = 0
    for row in range(len(texts)):
        if doubled[row]:
            size += texts[row, 1] - texts[row, 0]
    single, bounds, length = np.empty(size, np.uint8), texts.copy(), 0
    for row in range(len(texts)):
        if doubled[row]:
            bounds[row, 0] = start + length
            i = texts[row, 0]
            while i < texts[row, 1]:
                single[length] = data[i]
                length += 1
                i += 2 if data[i] == _QUOTE else 1
            bounds[row, 1] = start + length
    return single[:length], bounds


@kernel
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


@kernel
def format_decimals(numbers: NDArray[np.float32]) -> Bytes:
    """Format float32 [n] of 0..1 as `f"{number:.4f}"` does: uint8 [n, 6]."""
    digits = np.empty((len(numbers), _DECIMALS + 2), np.uint8)
    for row in range(len(numbers)):
        # A float32 has 24 significant bits and 10,000 has 14: their product is exact in float64, and so is
        # the rounding.
        remainder = np.int64(np.rint(np.float64(numbers[row]) * 10**_DECIMALS))
        for i in range(_DECIMALS + 1, 1, -1):
            digits[row, i] = _ZERO + remainder % 10
            remainder //= 10
        digits[row, 0], digits[row, 1] = _ZERO + remainder, _POINT
    return digits
