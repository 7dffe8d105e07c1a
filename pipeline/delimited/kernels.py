"""Compiled loops over the bytes of delimited text: its marks, and its doubled quotes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes, Offsets
from ..compilation.kernel import prebuilt_kernel

_LINE_FEED, _CARRIAGE_RETURN, _QUOTE = 10, 13, 34
_BYTE_NUMBERS = np.uint64(0x0001020304050607)
_ONES = np.uint64(0x0101010101010101)


@prebuilt_kernel("u1[::1], u1, u1")
def find_marks(data: Bytes, delimiter: np.uint8, quote: np.uint8) -> Offsets:
    """Return the places of quotes, delimiters and line ends in `data`, int64 [marks].

    Compilers turn the first loop into vector instructions; the second one looks at eight bytes at a time.
    """
    flags = np.zeros((len(data) + 7) // 8 * 8, np.uint8)
    for i in range(len(data)):
        byte = data[i]
        flags[i] = (byte == quote) | (byte == delimiter) | (byte == _LINE_FEED) | (byte == _CARRIAGE_RETURN)
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


@prebuilt_kernel("u1[::1], i8[:, ::1], b1[::1], i8")
def undouble_quotes(
    data: Bytes, texts: Offsets, doubled: NDArray[np.bool_], start: int
) -> tuple[Bytes, Offsets]:
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
