"""The predictor's inner loops, compiled by numba. Rows are ragged: row i has the token ids
`ids[offsets[i]:offsets[i + 1]]`, int32, none of them padding.

Every row is computed by itself and in one order, so that neither its neighbours nor the number of threads
change a bit of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..baselines.tfidf_kernels import longest_row
from ..compiled import Floats, Ints, Sizes, kernel, summing_kernel
from .llvm_maximum import window_maximum

Table = NDArray[Any]  # float32 or int16
RELU, TANH = 1, 2
LANES = 64  # filters that are computed at once
_many, _one = window_maximum(LANES), window_maximum(1)


@kernel
def features(
    ids: Ints, offsets: Sizes, table: Table, windows: Sizes, filters: Sizes, scale: Floats, bias: Floats
) -> Floats:
    """scale * max over t of c_t + bias, float32 [rows, features], before the activation.

    A token's row of the table is what it adds to the windows that it stands in: of each bank, which has
    `filters[b]` filters over `windows[b]` tokens, its products as the first token of a window, as the second,
    and so on. Row 0, the padding's, is zero, and windows reach beyond both ends of a text.
    """
    result = np.empty((len(offsets) - 1, len(bias)), np.float32)
    beyond = windows.max() - 1
    tokens = np.zeros(longest_row(offsets) + 2 * beyond, np.int64)
    best = np.empty(len(bias), table.dtype)
    for row in range(len(result)):
        length = offsets[row + 1] - offsets[row]
        for j in range(length):
            tokens[beyond + j] = ids[offsets[row] + j]
        tokens[beyond + length : length + 2 * beyond] = 0
        best[:] = 0
        first = column = 0
        for bank in range(len(windows) if length > 0 else 0):
            h, n = windows[bank], filters[bank]
            begin, end = beyond - h + 1, beyond + length  # of the windows' first tokens
            for i in range(0, n, LANES if n >= LANES else 1):
                if n >= LANES:
                    place = min(i, n - LANES)  # the last filters of a bank are computed twice
                    _many(best, first + place, tokens, begin, end, table, column + place, n, h)
                else:
                    _one(best, first + i, tokens, begin, end, table, column + i, n, h)
            first += n
            column += h * n
        for i in range(len(bias)):
            result[row, i] = scale[i] * np.float32(best[i]) + bias[i]
    return result


@kernel
def winning_ends(ids: Ints, offsets: Sizes, table: Table, windows: Sizes, filters: Sizes) -> Ints:
    """The token at which the window ends that `features` took, the first of several: int32 [rows, features].

    A window may end beyond the text, whose tokens count from 0.
    """
    result = np.zeros((len(offsets) - 1, filters.sum()), np.int32)
    sums = np.empty(filters.max(), table.dtype)
    best = np.empty(filters.max(), table.dtype)
    for row in range(len(result)):
        length = offsets[row + 1] - offsets[row]
        first = column = 0
        for bank in range(len(windows)):
            h, n = windows[bank], filters[bank]
            for end in range(length + h - 1 if length > 0 else 0):
                sums[:] = 0
                for k in range(h):
                    j = end - h + 1 + k
                    if 0 <= j < length:
                        sums[:n] += table[ids[offsets[row] + j], column + k * n : column + (k + 1) * n]
                for i in range(n):
                    if end == 0 or sums[i] > best[i]:
                        best[i] = sums[i]
                        result[row, first + i] = end
            first += n
            column += h * n
    return result


@kernel
def dense(inputs: Floats, activation: int, weights: Floats, bias: Floats) -> Floats:
    """f(inputs) weights' + bias: float32 [rows, classes], with the weights [classes, inputs]."""
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
            logits[row, c] = bias[c] + _product(values, weights[c])
    return logits


@summing_kernel
def _product(one: Floats, other: Floats) -> np.float32:
    total = np.float32(0)
    for i in range(len(one)):
        total += one[i] * other[i]
    return total
