"""The logits of a TF-IDF model, compiled by numba.

Rows are ragged: row i has the token ids `ids[offsets[i]:offsets[i + 1]]`, int32, none of them padding. Every
row is computed by itself and in one order, so that no other row changes a bit of it.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..numba_jit import kernel

NOT_FOUND = -1


@kernel
def tfidf_logits(
    ids: Ints, offsets: Sizes, slots: Sizes, idf: Floats, weights: Floats, bias: Floats
) -> Floats:
    """Return the logits of a `TfidfModel`, float32 [rows, classes]; `slots` is `hash_table` of its keys.

    With x = count * idf, the c-th occurrence of an n-gram adds idf^2 (2 c - 1) to |x|^2.
    """
    logits = np.zeros((len(offsets) - 1, len(bias)), np.float32)
    counts = np.zeros(len(idf), np.int32)
    features = np.empty(2 * longest_row(offsets), np.int64)  # of one row: its tokens and pairs
    for row in range(len(logits)):
        known = 0
        for place in range(offsets[row], offsets[row + 1]):
            token = np.int64(ids[place])
            for pair in range(2 if place > offsets[row] else 1):
                feature = find(np.int64(ids[place - 1]) << 32 | token if pair else token, slots)
                if feature != NOT_FOUND:
                    features[known] = feature
                    known += 1
        squares = np.float32(0)
        for feature in features[:known]:
            counts[feature] += 1
            squares += np.float32(2 * counts[feature] - 1) * idf[feature] * idf[feature]
            for c in range(len(bias)):
                logits[row, c] += idf[feature] * weights[feature, c]
        length = np.float32(math.sqrt(squares)) if squares > 0 else np.float32(1)
        for c in range(len(bias)):
            logits[row, c] = logits[row, c] / length + bias[c]
        for feature in features[:known]:
            counts[feature] = 0
    return logits


@kernel
def longest_row(offsets: Sizes) -> int:
    """Return the number of tokens in the longest row, 0 if there is none."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


@kernel
def hash_table(keys: Sizes) -> Sizes:
    """Return an open hash table, int64 [a power of two, 2]: a key and its index in `keys`, or NOT_FOUND."""
    size = 16
    while size < 2 * len(keys):
        size *= 2
    slots = np.full((size, 2), NOT_FOUND, np.int64)
    for index in range(len(keys)):
        slot = _slot(keys[index], size)
        while slots[slot, 1] != NOT_FOUND:
            slot = (slot + 1) & (size - 1)
        slots[slot, 0], slots[slot, 1] = keys[index], index
    return slots


@kernel
def find(key: np.int64, slots: Sizes) -> int:
    """Return the key's index, or NOT_FOUND."""
    slot = _slot(key, len(slots))
    while slots[slot, 1] != NOT_FOUND:
        if slots[slot, 0] == key:
            return int(slots[slot, 1])
        slot = (slot + 1) & (len(slots) - 1)
    return NOT_FOUND


@kernel
def _slot(key: np.int64, size: int) -> np.int64:
    """Return the slot at which the search for a key begins (Fibonacci hashing)."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))
