"""The predictor's inner loops, compiled by numba.

Rows are ragged: row i has the token ids `ids[offsets[i]:offsets[i + 1]]`, int32, none of them padding. Every
row is computed by itself and in one order, so that neither other rows nor the number of threads change a bit
of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints, Sizes
from ..linear.kernels import longest_row
from ..numba_jit import kernel, summing_kernel
from .llvm_maximum import window_maximum

Table = NDArray[Any]  # float32 or int16
RELU, TANH = 1, 2
LANES = 64  # filters that are computed at once
_maximum_of_lanes, _maximum_of_one = window_maximum(LANES), window_maximum(1)


@kernel
def features(
    ids: Ints, offsets: Sizes, table: Table, windows: Sizes, filters: Sizes, scale: Floats, bias: Floats
) -> Floats:
    """Return scale * max over t of c_t + bias, float32 [rows, features], before the activation.

    A token's row of the table is what it adds to the windows that it stands in: of each bank, which has
    `filters[b]` filters over `windows[b]` tokens, its products as the first token of a window, as the second,
    and so on. Row 0, the padding's, is zero, and windows reach beyond both ends of a text.
    """
    result = np.empty((len(offsets) - 1, len(bias)), np.float32)
    margin = windows.max() - 1
    tokens = np.zeros(longest_row(offsets) + 2 * margin, np.int64)
    best = np.empty(len(bias), table.dtype)
    for row in range(len(result)):
        length = offsets[row + 1] - offsets[row]
        for place in range(length):
            tokens[margin + place] = ids[offsets[row] + place]
        tokens[margin + length : length + 2 * margin] = 0
        best[:] = 0
        first = column = 0
        for bank in range(len(windows) if length > 0 else 0):
            size, count = windows[bank], filters[bank]
            begin, end = margin - size + 1, margin + length  # of the windows' first tokens
            for lane in range(0, count, LANES if count >= LANES else 1):
                if count >= LANES:
                    start = min(lane, count - LANES)  # the last filters of a bank are computed twice
                    _maximum_of_lanes(
                        best, first + start, tokens, begin, end, table, column + start, count, size
                    )
                else:
                    _maximum_of_one(best, first + lane, tokens, begin, end, table, column + lane, count, size)
            first += count
            column += size * count
        for feature in range(len(bias)):
            result[row, feature] = scale[feature] * np.float32(best[feature]) + bias[feature]
    return result


@kernel
def winning_ends(ids: Ints, offsets: Sizes, table: Table, windows: Sizes, filters: Sizes) -> Ints:
    """Return the token at which the window ends that `features` took, int32 [rows, features].

    Of several windows it is the first. A window may end beyond the text, whose tokens count from 0.
    """
    result = np.zeros((len(offsets) - 1, filters.sum()), np.int32)
    sums = np.empty(filters.max(), table.dtype)
    best = np.empty(filters.max(), table.dtype)
    for row in range(len(result)):
        length = offsets[row + 1] - offsets[row]
        first = column = 0
        for bank in range(len(windows)):
            size, count = windows[bank], filters[bank]
            for end in range(length + size - 1 if length > 0 else 0):
                sums[:] = 0
                for k in range(size):
                    place = end - size + 1 + k
                    if 0 <= place < length:
                        start = column + k * count
                        sums[:count] += table[ids[offsets[row] + place], start : start + count]
                for lane in range(count):
                    if end == 0 or sums[lane] > best[lane]:
                        best[lane] = sums[lane]
                        result[row, first + lane] = end
            first += count
            column += size * count
    return result


@kernel
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
