"""Texts as bytes to token ids, compiled by numba: what stands between two blanks is looked up as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numba_jit import Ints, Sizes, kernel

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]
EMPTY = -1
# What `str.split` takes for blank, of ASCII. Others are found in the chunk, by `str.split` itself.
BLANK = np.isin(np.arange(256), [*range(9, 14), *range(28, 33)])


@kernel
def chunks(
    data: Bytes, texts: Sizes, blank: Flags, slots: Ints, hashes: Hashes, keys: Sizes, arena: Bytes
) -> tuple[Ints, Sizes, Sizes]:
    """Every chunk of every text: its entry, or -1 - i for the i-th that the table lacks.

    The table is open: `slots` int32 [a power of two] gives an entry or EMPTY; entry e has `hashes[e]` and the
    bytes `arena[keys[e, 0]:keys[e, 1]]`. Returns the entries int32 [chunks], where in them each text begins,
    int64 [texts + 1], and the bounds in `data` of those that are lacking, int64 [n, 2].
    """
    size = 0
    for row in range(len(texts)):
        size += (texts[row, 1] - texts[row, 0] + 1) // 2
    found, lacking = np.empty(size, np.int32), np.empty((size, 2), np.int64)
    offsets = np.zeros(len(texts) + 1, np.int64)
    n = missed = 0
    mask = len(slots) - 1
    for row in range(len(texts)):
        i, end = texts[row, 0], texts[row, 1]
        while i < end:
            if blank[data[i]]:
                i += 1
                continue
            start, code = i, np.uint64(14695981039346656037)
            while i < end and not blank[data[i]]:
                code = (code ^ np.uint64(data[i])) * np.uint64(1099511628211)  # FNV-1a
                i += 1
            entry = _find(data[start:i], code, slots, mask, hashes, keys, arena)
            if entry == EMPTY:
                lacking[missed, 0], lacking[missed, 1] = start, i
                missed += 1
                entry = -missed
            found[n] = entry
            n += 1
        offsets[row + 1] = n
    return found[:n], offsets, lacking[:missed]


@kernel
def _find(
    key: Bytes, code: np.uint64, slots: Ints, mask: int, hashes: Hashes, keys: Sizes, arena: Bytes
) -> int:
    slot = np.int64((code ^ (code >> np.uint64(32))) & np.uint64(mask))
    while slots[slot] != EMPTY:
        entry = slots[slot]
        if hashes[entry] == code and keys[entry, 1] - keys[entry, 0] == len(key):
            same = True
            for i in range(len(key)):
                if arena[keys[entry, 0] + i] != key[i]:
                    same = False
                    break
            if same:
                return int(entry)
        slot = (slot + 1) & mask
    return EMPTY


@kernel
def insert(first: int, slots: Ints, hashes: Hashes, keys: Sizes, arena: Bytes) -> None:
    """Notes where the entries from `first` on are, and their hashes. One without a key is not to be found."""
    mask = len(slots) - 1
    for entry in range(first, len(keys)):
        if keys[entry, 0] == keys[entry, 1]:
            continue
        code = np.uint64(14695981039346656037)
        for i in range(keys[entry, 0], keys[entry, 1]):
            code = (code ^ np.uint64(arena[i])) * np.uint64(1099511628211)
        hashes[entry] = code
        slot = np.int64((code ^ (code >> np.uint64(32))) & np.uint64(mask))
        while slots[slot] != EMPTY:
            slot = (slot + 1) & mask
        slots[slot] = entry


@kernel
def tokens(
    entries: Ints, offsets: Sizes, values: Sizes, ids: Ints, outside: Ints, limit: int
) -> tuple[Ints, Sizes, Sizes, Sizes]:
    """The chunks' token ids, laid end to end, at most `limit` a text.

    Entry e stands for `ids[values[e, 0]:values[e, 1]]`, of which `outside[e]` are no words of the vocabulary.
    Returns ids int32 [tokens], offsets int64 [texts + 1], and for each text how many tokens it has uncut, and
    how many of these are outside, int64 [texts].
    """
    texts = len(offsets) - 1
    lengths, strange = np.zeros(texts, np.int64), np.zeros(texts, np.int64)
    for text in range(texts):
        for c in range(offsets[text], offsets[text + 1]):
            entry = entries[c]
            lengths[text] += values[entry, 1] - values[entry, 0]
            strange[text] += outside[entry]
    bounds = np.zeros(texts + 1, np.int64)
    bounds[1:] = np.cumsum(np.minimum(lengths, limit))
    result = np.empty(bounds[-1], np.int32)
    for text in range(texts):
        n = bounds[text]
        for c in range(offsets[text], offsets[text + 1]):
            entry = entries[c]
            for i in range(values[entry, 0], values[entry, 1]):
                if n < bounds[text + 1]:
                    result[n] = ids[i]
                    n += 1
    return result, bounds, lengths, strange
