"""Compiled lookup of chunks, the runs of bytes between blanks, in a hash table, and their tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes, Flags, Ints, Sizes
from ..compilation.kernel import FNV_OFFSET, FNV_PRIME, kernel, prebuilt_kernel
from ..inputs import BOUNDARY, PADDING

Hashes = NDArray[np.uint64]

EMPTY_SLOT = -1
BOUNDARY_ENTRY = np.iinfo(np.int32).max  # stands for `inputs.BOUNDARY`, which parts chunks as a blank does
BOUNDARY_BYTE = ord(BOUNDARY)
# The ASCII blanks of `str.split`. Others stay in their chunk, and are found by the tokenizer.
IS_BLANK = np.isin(np.arange(256), [*range(9, 14), *range(28, 33)])


@prebuilt_kernel("u1[::1], i8[:, ::1], b1[::1], i4[::1], u8[::1], i8[:, ::1], u1[::1]")
def find_chunks(
    data: Bytes, texts: Sizes, is_blank: Flags, slots: Ints, hashes: Hashes, keys: Sizes, arena: Bytes
) -> tuple[Ints, Sizes, Sizes]:
    """Return every chunk of every text: its entry, or -1 - i for the i-th that the table lacks.

    Text i is `data[texts[i, 0]:texts[i, 1]]`. A boundary is BOUNDARY_ENTRY. The table has open addressing:
    `slots` int32 [a power of two] gives an entry or EMPTY_SLOT; entry e has `hashes[e]` and the bytes
    `arena[keys[e, 0]:keys[e, 1]]`. Returns the entries int32 [chunks], where in them each text begins, int64
    [texts + 1], and the bounds in `data` of those that the table lacks, int64 [n, 2].
    """
    size = (texts[:, 1] - texts[:, 0]).sum()
    entries, missing = np.empty(size, np.int32), np.empty(((size + len(texts)) // 2, 2), np.int64)
    offsets = np.zeros(len(texts) + 1, np.int64)
    chunks = misses = 0
    mask = len(slots) - 1
    for row in range(len(texts)):
        i, end = texts[row, 0], texts[row, 1]
        while i < end:
            if is_blank[data[i]]:
                if data[i] == BOUNDARY_BYTE:
                    entries[chunks] = BOUNDARY_ENTRY
                    chunks += 1
                i += 1
                continue
            start, code = i, FNV_OFFSET
            while i < end and not is_blank[data[i]]:
                code = (code ^ np.uint64(data[i])) * FNV_PRIME
                i += 1
            entry = _find(data[start:i], code, slots, mask, hashes, keys, arena)
            if entry == EMPTY_SLOT:
                missing[misses, 0], missing[misses, 1] = start, i
                misses += 1
                entry = -misses
            entries[chunks] = entry
            chunks += 1
        offsets[row + 1] = chunks
    return entries[:chunks], offsets, missing[:misses]


@kernel
def _find(
    key: Bytes, code: np.uint64, slots: Ints, mask: int, hashes: Hashes, keys: Sizes, arena: Bytes
) -> int:
    """Return the entry of a key whose hash is `code`, or EMPTY_SLOT."""
    slot = np.int64((code ^ (code >> np.uint64(32))) & np.uint64(mask))
    while slots[slot] != EMPTY_SLOT:
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
    return EMPTY_SLOT


@prebuilt_kernel("i8, i4[::1], u8[::1], i8[:, ::1], u1[::1]")
def insert_entries(first: int, slots: Ints, hashes: Hashes, keys: Sizes, arena: Bytes) -> None:
    """Write the slots and hashes of the entries from `first` on; an entry with an empty key gets no slot."""
    mask = len(slots) - 1
    for entry in range(first, len(keys)):
        if keys[entry, 0] == keys[entry, 1]:
            continue
        code = FNV_OFFSET
        for i in range(keys[entry, 0], keys[entry, 1]):
            code = (code ^ np.uint64(arena[i])) * FNV_PRIME
        hashes[entry] = code
        slot = np.int64((code ^ (code >> np.uint64(32))) & np.uint64(mask))
        while slots[slot] != EMPTY_SLOT:
            slot = (slot + 1) & mask
        slots[slot] = entry


@prebuilt_kernel("i4[::1], i8[::1], i8[:, ::1], i4[::1], i4[::1], i4[::1], i8")
def join_tokens(
    entries: Ints, offsets: Sizes, values: Sizes, ids: Ints, words: Ints, outside: Ints, limit: int
) -> tuple[Ints, Ints, Sizes, Sizes, Sizes]:
    """Return the tokens of the texts' chunks, laid end to end, at most `limit` a text.

    Entry e stands for `ids[values[e, 0]:values[e, 1]]`, and `words` as far, of which `outside[e]` are no
    words of the vocabulary; BOUNDARY_ENTRY stands for PADDING, which is no token. Returns ids and words int32
    [tokens] and offsets int64 [texts + 1], as `Sequences` has them, and for each text how many tokens it has
    uncut, and how many of these are outside the vocabulary, int64 [texts].
    """
    texts = len(offsets) - 1
    lengths, text_outside = np.zeros(texts, np.int64), np.zeros(texts, np.int64)
    boundaries = np.zeros(texts, np.int64)
    for text in range(texts):
        for chunk in range(offsets[text], offsets[text + 1]):
            entry = entries[chunk]
            if entry == BOUNDARY_ENTRY:
                boundaries[text] += 1
                continue
            lengths[text] += values[entry, 1] - values[entry, 0]
            text_outside[text] += outside[entry]
    text_offsets = np.zeros(texts + 1, np.int64)
    for text in range(texts):
        text_offsets[text + 1] = text_offsets[text] + min(lengths[text], limit) + boundaries[text]
    text_ids, text_words = np.empty(text_offsets[-1], np.int32), np.empty(text_offsets[-1], np.int32)
    for text in range(texts):
        n, end = text_offsets[text], text_offsets[text + 1] - boundaries[text]
        for chunk in range(offsets[text], offsets[text + 1]):
            entry = entries[chunk]
            if entry == BOUNDARY_ENTRY:
                text_ids[n], text_words[n] = PADDING, PADDING
                n, end = n + 1, end + 1
                continue
            for i in range(values[entry, 0], values[entry, 1]):
                if n < end:
                    text_ids[n], text_words[n] = ids[i], words[i]
                    n += 1
    return text_ids, text_words, text_offsets, lengths, text_outside
