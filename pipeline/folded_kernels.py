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

from pipeline.compiled import Floats, Ints, Sizes, kernel

Table = NDArray[Any]  # float32 or int16
EMPTY = -1
RELU, TANH = 1, 2


@kernel
def features(ids: Ints, offsets: Sizes, table: Table, reach: Sizes, scale: Floats, bias: Floats) -> Floats:
    """scale * max over t of c_t + bias, float32 [rows, features], before the activation.

    The table's row of a token is what it adds to the windows that end 0, 1, 2 ... tokens behind it: for all
    features, then for the first `reach[1]`, whose windows are that wide, and so on. A ring holds the sums of
    as many windows of every filter, in the table's own type; those that end at a token are complete when it
    is added.
    """
    result = np.zeros((len(offsets) - 1, len(bias)), np.float32)
    best = np.zeros(len(bias), table.dtype)
    ring = np.zeros((len(reach), len(bias)), table.dtype)
    for row in range(len(result)):
        start, length = offsets[row], offsets[row + 1] - offsets[row]
        best[:] = 0
        ring[:] = 0
        for j in range(length):
            products = table[ids[start + j]]
            column = 0
            for d in range(len(reach)):
                _add(ring[(j + d) % len(reach), : reach[d]], products[column : column + reach[d]])
                column += reach[d]
            complete = ring[j % len(reach)]
            if j == 0:
                best[:] = complete
            else:
                _raise(best, complete)
            complete[:] = 0
        for d in range(1, len(reach) if length > 0 else 1):  # those that reach beyond the end of the text
            _raise(best[: reach[d]], ring[(length - 1 + d) % len(reach), : reach[d]])
        for i in range(len(bias)):
            result[row, i] = scale[i] * np.float32(best[i]) + bias[i]
    return result


@kernel
def winning_ends(ids: Ints, offsets: Sizes, table: Table, reach: Sizes) -> Ints:
    """The token at which the window ends that `features` took, the first of several: int32 [rows, features].

    A window may end beyond the text, whose tokens count from 0.
    """
    result = np.zeros((len(offsets) - 1, reach[0]), np.int32)
    for row in range(len(result)):
        start, length = offsets[row], offsets[row + 1] - offsets[row]
        sums = np.zeros((length + len(reach) - 1, reach[0]), table.dtype)
        for j in range(length):
            column = 0
            for d in range(len(reach)):
                _add(sums[j + d, : reach[d]], table[ids[start + j], column : column + reach[d]])
                column += reach[d]
        for end in range(1, len(sums) if length > 0 else 0):
            for i in range(reach[max(0, end - length + 1)]):
                if sums[end, i] > sums[result[row, i], i]:
                    result[row, i] = end
    return result


# Slices, so that the compiler sees indices from 0 on alone, and computes many of them at once.


@kernel
def _add(sums: Table, product: Table) -> None:
    for i in range(len(sums)):
        sums[i] += product[i]


@kernel
def _raise(best: Table, sums: Table) -> None:
    for i in range(len(best)):
        best[i] = sums[i] if sums[i] > best[i] else best[i]


@kernel
def dense(inputs: Floats, activation: int, weights: Floats, bias: Floats) -> Floats:
    """f(inputs) weights + bias: float32 [rows, classes]."""
    logits = np.empty((len(inputs), len(bias)), np.float32)
    for row in range(len(inputs)):
        logits[row] = bias
        for i in range(inputs.shape[1]):
            value = inputs[row, i]
            if activation == RELU:
                value = max(value, np.float32(0))
            elif activation == TANH:
                value = np.float32(math.tanh(value))
            for c in range(len(bias)):
                logits[row, c] += value * weights[i, c]
    return logits


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
def hashed(keys: Sizes) -> Ints:
    """An open hash table of the keys: int32 [a power of two], a key's place in `keys` or EMPTY."""
    size = 16
    while size < 2 * len(keys):
        size *= 2
    slots = np.full(size, EMPTY, np.int32)
    for place in range(len(keys)):
        slot = _slot(keys[place], size)
        while slots[slot] != EMPTY:
            slot = (slot + 1) & (size - 1)
        slots[slot] = place
    return slots


@kernel
def _slot(key: np.int64, size: int) -> np.int64:
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))


@kernel
def find(key: np.int64, keys: Sizes, slots: Ints) -> int:
    """The key's place in `keys`, or EMPTY."""
    slot = _slot(key, len(slots))
    while slots[slot] != EMPTY:
        if keys[slots[slot]] == key:
            return int(slots[slot])
        slot = (slot + 1) & (len(slots) - 1)
    return EMPTY


@kernel
def ngram_logits(
    ids: Ints, offsets: Sizes, keys: Sizes, slots: Ints, idf: Floats, weights: Floats, bias: Floats
) -> Floats:
    """ngrams.NgramModel's logits: float32 [rows, classes]; `slots` is `hashed(keys)`.

    With x = count * idf, an n-gram's c-th occurrence adds idf^2 (2 c - 1) to |x|^2.
    """
    logits = np.zeros((len(offsets) - 1, len(bias)), np.float32)
    counts = np.zeros(len(keys), np.int32)
    places = np.empty(2 * np.max(np.diff(offsets)) if len(logits) else 0, np.int32)
    for row in range(len(logits)):
        n = 0
        squares = np.float32(0)
        for j in range(offsets[row], offsets[row + 1]):
            token = np.int64(ids[j])
            for pair in range(2 if j > offsets[row] else 1):
                key = np.int64(ids[j - 1]) << 32 | token if pair else token
                place = find(key, keys, slots)
                if place != EMPTY:
                    counts[place] += 1
                    squares += np.float32(2 * counts[place] - 1) * idf[place] * idf[place]
                    for c in range(len(bias)):
                        logits[row, c] += idf[place] * weights[place, c]
                    places[n] = place
                    n += 1
        length = np.float32(math.sqrt(squares)) if squares > 0 else np.float32(1)
        for c in range(len(bias)):
            logits[row, c] = logits[row, c] / length + bias[c]
        for i in range(n):
            counts[places[i]] = 0
    return logits
