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

from ..compiled import Floats, Ints, Sizes, kernel, summing_kernel
from .llvm_maximum import window_maximum

Table = NDArray[Any]  # float32 or int16
EMPTY = -1
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
    tokens = np.zeros(_longest(offsets) + 2 * beyond, np.int64)
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
def _longest(offsets: Sizes) -> int:
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


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


@kernel
def log_softmax(logits: Floats) -> Floats:
    """float32 [rows, classes]."""
    result = np.empty_like(logits)
    for row in range(len(logits)):
        highest = logits[row].max()
        total = 0.0
        for c in range(logits.shape[1]):
            total += math.exp(logits[row, c] - highest)
        for c in range(logits.shape[1]):
            result[row, c] = logits[row, c] - highest - math.log(total)
    return result


@kernel
def softmax(logits: Floats, temperature: float) -> Floats:
    """softmax(logits / temperature): float32 [rows, classes]."""
    result = np.empty_like(logits)
    for row in range(len(logits)):
        highest = logits[row].max()
        total = 0.0
        for c in range(logits.shape[1]):
            total += math.exp((logits[row, c] - highest) / temperature)
        for c in range(logits.shape[1]):
            result[row, c] = math.exp((logits[row, c] - highest) / temperature) / total
    return result


@kernel
def hashed(keys: Sizes) -> Sizes:
    """An open hash table of the keys: int64 [a power of two, 2], a key and its place in `keys`, or EMPTY."""
    size = 16
    while size < 2 * len(keys):
        size *= 2
    slots = np.full((size, 2), EMPTY, np.int64)
    for place in range(len(keys)):
        slot = _slot(keys[place], size)
        while slots[slot, 1] != EMPTY:
            slot = (slot + 1) & (size - 1)
        slots[slot, 0], slots[slot, 1] = keys[place], place
    return slots


@kernel
def _slot(key: np.int64, size: int) -> np.int64:
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))


@kernel
def find(key: np.int64, slots: Sizes) -> int:
    """The key's place, or EMPTY."""
    slot = _slot(key, len(slots))
    while slots[slot, 1] != EMPTY:
        if slots[slot, 0] == key:
            return int(slots[slot, 1])
        slot = (slot + 1) & (len(slots) - 1)
    return EMPTY


@kernel
def ngram_logits(
    ids: Ints, offsets: Sizes, slots: Sizes, idf: Floats, weights: Floats, bias: Floats
) -> Floats:
    """ngrams.NgramModel's logits: float32 [rows, classes]; `slots` is `hashed` of its keys.

    With x = count * idf, an n-gram's c-th occurrence adds idf^2 (2 c - 1) to |x|^2.
    """
    logits = np.zeros((len(offsets) - 1, len(bias)), np.float32)
    counts = np.zeros(len(idf), np.int32)
    places = np.empty(2 * _longest(offsets), np.int64)
    for row in range(len(logits)):
        n = 0
        for j in range(offsets[row], offsets[row + 1]):
            token = np.int64(ids[j])
            for pair in range(2 if j > offsets[row] else 1):
                place = find(np.int64(ids[j - 1]) << 32 | token if pair else token, slots)
                if place != EMPTY:
                    places[n] = place
                    n += 1
        squares = np.float32(0)
        for place in places[:n]:
            counts[place] += 1
            squares += np.float32(2 * counts[place] - 1) * idf[place] * idf[place]
            for c in range(len(bias)):
                logits[row, c] += idf[place] * weights[place, c]
        length = np.float32(math.sqrt(squares)) if squares > 0 else np.float32(1)
        for c in range(len(bias)):
            logits[row, c] = logits[row, c] / length + bias[c]
        for place in places[:n]:
            counts[place] = 0
    return logits
