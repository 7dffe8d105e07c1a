"""The predictor's inner loops, compiled by numba.

Rows are ragged: row i has the token ids `ids[offsets[i]:offsets[i + 1]]`, int32. The id 0 parts a row into
texts, such as those of two columns, of which each stands by itself. Every row is computed by itself and in
one order, so that neither other rows nor the number of threads change a bit of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints, Sizes
from ..compilation.kernel import kernel_part, late_part, prebuilt_kernel, summing_kernel
from ..linear.kernels import longest_row

Table = NDArray[Any]  # float32 or int16
RELU, TANH = 1, 2
LANES = 64  # filters that are computed at once


def _window_maximum(lanes: int) -> Any:
    """Return `llvm_maximum.window_maximum`, whose module imports numba, as a part of kernels."""

    def load() -> Any:
        from .llvm_maximum import called, window_maximum

        return called(window_maximum(lanes))

    return late_part(load)


_maximum_of_lanes, _maximum_of_one = _window_maximum(LANES), _window_maximum(1)


@prebuilt_kernel(
    "i4[::1], i8[::1], i2[:, ::1], i8[::1], i8[::1], f4[::1], f4[::1]",
    "i4[::1], i8[::1], f4[:, ::1], i8[::1], i8[::1], f4[::1], f4[::1]",
)
def features(
    ids: Ints, offsets: Sizes, table: Table, windows: Sizes, filters: Sizes, scale: Floats, bias: Floats
) -> Floats:
    """Return scale * max over t of c_t + bias, float32 [rows, features], before the activation.

    A token's row of the table is what it adds to the windows that it stands in: of each bank, which has
    `filters[b]` filters over `windows[b]` tokens, its products as the first token of a window, as the second,
    and so on. Row 0, the padding's, is zero, and windows reach beyond both ends of a text.
    """
    result = np.empty((len(offsets) - 1, len(bias)), np.float32)
    margin = _greatest(windows) - 1
    tokens = np.zeros(longest_row(offsets) + 2 * margin, np.int64)
    best, before = np.zeros(len(bias), table.dtype), np.zeros(len(bias), table.dtype)
    for row in range(len(result)):
        begin, row_end = _next_text(ids, offsets[row], offsets[row + 1]), offsets[row + 1]
        if begin == row_end:
            best[:] = 0
        is_first = True
        while begin < row_end:
            end = _text_end(ids, begin, row_end)
            length = end - begin
            for place in range(length):
                tokens[margin + place] = ids[begin + place]
            tokens[margin + length : length + 2 * margin] = 0
            if not is_first:
                for feature in range(len(bias)):
                    before[feature] = best[feature]
            _maxima(best, tokens, margin, length, table, windows, filters)
            if not is_first:
                for feature in range(len(bias)):
                    best[feature] = max(best[feature], before[feature])
            is_first = False
            begin = _next_text(ids, end, row_end)
        for feature in range(len(bias)):
            result[row, feature] = scale[feature] * np.float32(best[feature]) + bias[feature]
    return result


@kernel_part
def _maxima(
    best: NDArray[Any], tokens: Sizes, margin: int, length: int, table: Table, windows: Sizes, filters: Sizes
) -> None:
    """Set `best` [features] to the maxima over the windows of a text, which begins at the margin."""
    first = column = 0
    for bank in range(len(windows)):
        size, count = windows[bank], filters[bank]
        begin, end = margin - size + 1, margin + length  # of the windows' first tokens
        for lane in range(0, count, LANES if count >= LANES else 1):
            if count >= LANES:
                start = min(lane, count - LANES)  # the last filters of a bank are computed twice
                _maximum_of_lanes(best, first + start, tokens, begin, end, table, column + start, count, size)
            else:
                _maximum_of_one(best, first + lane, tokens, begin, end, table, column + lane, count, size)
        first += count
        column += size * count


@prebuilt_kernel(
    "i4[::1], i8[::1], i2[:, ::1], i8[::1], i8[::1]",
    "i4[::1], i8[::1], f4[:, ::1], i8[::1], i8[::1]",
)
def winning_windows(
    ids: Ints, offsets: Sizes, table: Table, windows: Sizes, filters: Sizes
) -> tuple[Ints, Ints, Ints]:
    """Return the window that `features` took: its first place, its first token and the one after its last.

    All are int32 [rows, features], places in the row from 0; of several windows it is the first. A window's
    first place lies before its text if that begins within it, and its tokens are those of its text. A row
    without tokens has no window, and zeros.
    """
    starts = np.zeros((len(offsets) - 1, filters.sum()), np.int32)
    firsts, ends = np.zeros_like(starts), np.zeros_like(starts)
    sums = np.empty(_greatest(filters), table.dtype)
    best = np.empty(filters.sum(), table.dtype)
    for row in range(len(starts)):
        row_start, row_end = offsets[row], offsets[row + 1]
        begin = _next_text(ids, row_start, row_end)
        is_first = True
        while begin < row_end:
            end = _text_end(ids, begin, row_end)
            first = column = 0
            for bank in range(len(windows)):
                size, count = windows[bank], filters[bank]
                for t in range(begin + 1 - size, end):
                    sums[:] = 0
                    low, high = max(begin, t), min(end, t + size)
                    for place in range(low, high):
                        start = column + (place - t) * count
                        for lane in range(count):
                            sums[lane] += table[ids[place], start + lane]
                    for lane in range(count):
                        if (is_first and t == begin + 1 - size) or sums[lane] > best[first + lane]:
                            best[first + lane] = sums[lane]
                            starts[row, first + lane] = t - row_start
                            firsts[row, first + lane] = low - row_start
                            ends[row, first + lane] = high - row_start
                first += count
                column += size * count
            is_first = False
            begin = _next_text(ids, end, row_end)
    return starts, firsts, ends


@kernel_part
def _greatest(sizes: Sizes) -> int:
    greatest = 0
    for size in sizes:
        greatest = max(greatest, size)
    return greatest


@kernel_part
def _next_text(ids: Ints, place: int, end: int) -> int:
    """Return where the next text of a row begins, or the row's end."""
    while place < end and ids[place] == 0:
        place += 1
    return place


@kernel_part
def _text_end(ids: Ints, place: int, end: int) -> int:
    """Return the end of the text that has a token at this place."""
    while place < end and ids[place] != 0:
        place += 1
    return place


@prebuilt_kernel("f4[:, ::1], i8, f4[:, ::1], f4[::1]")
def dense(inputs: Floats, activation: int, weights: Floats, bias: Floats) -> Floats:
    """Return f(inputs) weights' + bias: float32 [rows, classes], with the weights [classes, inputs]."""
    logits = np.empty((len(inputs), len(bias)), np.float32)
    values = np.empty(inputs.shape[1], np.float32)
    for row in range(len(inputs)):
        for i in range(len(values)):
            values[i] = inputs[row, i]
            if activation == RELU:
                values[i] = max(values[i], np.float32(0))
            elif activation == TANH:
                values[i] = np.float32(math.tanh(values[i]))
        for c in range(len(bias)):
            logits[row, c] = bias[c] + _dot(values, weights[c])
    return logits


@summing_kernel
def _dot(a: Floats, b: Floats) -> np.float32:
    total = np.float32(0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total
