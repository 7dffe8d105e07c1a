"""The n-grams of rows, and the logits of linear models on them, compiled by numba.

Rows are ragged: row i has the token ids `ids[offsets[i]:offsets[i + 1]]`, int32, where 0 is the boundary
between two texts: no n-gram has tokens of both, and it is none itself. Every row is computed by itself and
in one order, so that no other row changes a bit of it.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..compilation.kernel import FNV_OFFSET, FNV_PRIME, kernel, kernel_part, prebuilt_kernel

NOT_FOUND = -1
TRIPLE, TRIPLE_BITS = 1 << 62, 20  # a key of three ids, and the bits for each
FEW_COLLISIONS, MOST_COLLISIONS = 10_000, 64  # of all keys together, and for each
SHORTEST, LONGEST = 2, 5  # characters of an n-gram
BLANK = 32  # before and behind a word


@prebuilt_kernel("i4[::1], i8[::1], i8[:, ::1], f4[::1], f4[:, ::1], f4[::1], i8")
def token_logits(
    ids: Ints, offsets: Sizes, slots: Sizes, idf: Floats, weights: Floats, bias: Floats, longest: int
) -> Floats:
    """Return the logits of a `TokenNgrams`, float32 [rows, classes]; `slots` is `hash_table` of its keys.

    `longest` is the number of tokens of its longest n-grams, 2 or 3.

    With f(c) = 1 + log(c), the c-th occurrence of an n-gram adds f(c) - f(c - 1) to its factor of idf, and
    idf^2 (f(c)^2 - f(c - 1)^2) to |x|^2.
    """
    logits = np.zeros((len(offsets) - 1, len(bias)), np.float32)
    counts = np.zeros(len(idf), np.int32)
    features = np.empty(longest * longest_row(offsets), np.int64)  # of one row
    for row in range(len(logits)):
        known = _known_ngrams(ids[offsets[row] : offsets[row + 1]], slots, longest, features)
        squares = np.float32(0)
        for feature in features[:known]:
            counts[feature] += 1
            before, after = _sublinear(counts[feature] - 1), _sublinear(counts[feature])
            squares += (after * after - before * before) * idf[feature] * idf[feature]
            value = (after - before) * idf[feature]
            for c in range(len(bias)):
                logits[row, c] += value * weights[feature, c]
        length = np.float32(math.sqrt(squares)) if squares > 0 else np.float32(1)
        for c in range(len(bias)):
            logits[row, c] = logits[row, c] / length + bias[c]
        for feature in features[:known]:
            counts[feature] = 0
    return logits


@prebuilt_kernel("i4[::1], i8[::1], i8")
def token_ngram_keys(ids: Ints, offsets: Sizes, longest: int) -> tuple[Sizes, Sizes]:
    """Return the keys of the rows' n-grams, int64 [n], and where each row's begin, int64 [rows + 1].

    They have up to `longest` tokens, at most 3; for their keys see `token_ngrams.run_keys`.
    """
    keys, starts, n = np.empty(longest * len(ids), np.int64), np.zeros(len(offsets), np.int64), 0
    for row in range(len(offsets) - 1):
        run = 0  # tokens since the beginning or the last boundary
        for place in range(offsets[row], offsets[row + 1]):
            token = np.int64(ids[place])
            run = run + 1 if token != 0 else 0
            for size in range(1, min(run, longest) + 1):
                if size == 1:
                    keys[n] = token
                elif size == 2:
                    keys[n] = np.int64(ids[place - 1]) << 32 | token
                else:
                    before = np.int64(ids[place - 2]) << TRIPLE_BITS | np.int64(ids[place - 1])
                    keys[n] = TRIPLE | before << TRIPLE_BITS | token
                n += 1
        starts[row + 1] = n
    return keys[:n], starts


@kernel_part
def _known_ngrams(ids: Ints, slots: Sizes, longest: int, features: Sizes) -> int:
    """Write the n-grams of a row that are known into `features`, and return their number.

    A triple that occurs in the training rows does so with its pairs: it is looked for if the second of them
    is known.
    """
    known = 0
    for place in range(len(ids)):
        token, feature = np.int64(ids[place]), NOT_FOUND
        if token == 0:
            continue
        for pair in range(2 if place > 0 and ids[place - 1] != 0 else 1):
            feature = find(np.int64(ids[place - 1]) << 32 | token if pair else token, slots)
            if feature != NOT_FOUND:
                features[known] = feature
                known += 1
        if longest > 2 and place > 1 and feature != NOT_FOUND and ids[place - 1] != 0 != ids[place - 2]:
            before = np.int64(ids[place - 2]) << TRIPLE_BITS | np.int64(ids[place - 1])
            feature = find(TRIPLE | before << TRIPLE_BITS | token, slots)
            if feature != NOT_FOUND:
                features[known] = feature
                known += 1
    return known


@kernel_part
def _sublinear(count: int) -> np.float32:
    """Return 1 + log(count), or 0 of none."""
    if count < 2:
        return np.float32(count)
    return np.float32(1 + math.log(count))


@prebuilt_kernel("i4[::1], i8[::1]")
def ngram_keys(letters: Ints, bounds: Sizes) -> tuple[Sizes, Sizes]:
    """Return the keys of words' character n-grams, int64 [n], and where each word's begin, int64 [words + 1].

    Word i has the code points `letters[bounds[i]:bounds[i + 1]]`, int32. Its n-grams are all runs of SHORTEST
    to LONGEST characters of the word between two blanks; a key is a 64-bit hash (FNV-1a) of the characters.
    """
    starts = np.zeros(len(bounds), np.int64)
    for word in range(len(bounds) - 1):
        length = bounds[word + 1] - bounds[word] + 2
        starts[word + 1] = starts[word]
        for size in range(SHORTEST, LONGEST + 1):
            starts[word + 1] += max(0, length - size + 1)
    keys = np.empty(starts[-1], np.int64)
    for word in range(len(bounds) - 1):
        first, length, n = bounds[word], bounds[word + 1] - bounds[word] + 2, starts[word]
        for start in range(length):
            code = FNV_OFFSET
            for place in range(start, min(start + LONGEST, length)):
                letter = letters[first + place - 1] if 0 < place < length - 1 else BLANK
                code = (code ^ np.uint64(letter)) * FNV_PRIME
                if place - start + 1 >= SHORTEST:
                    keys[n] = np.int64(code)
                    n += 1
    return keys, starts


@prebuilt_kernel("i8[::1], i8[::1], i8[:, ::1], f4[::1], f4[:, ::1]")
def word_rows(keys: Sizes, starts: Sizes, slots: Sizes, idf: Floats, weights: Floats) -> Floats:
    """Return what each word adds to the logits of a `CharacterNgrams`, float32 [words, classes + 1].

    `keys` and `starts` are those of `ngram_keys`, `slots` is `hash_table` of the model's keys. Let u be the
    counts of the word's n-grams, each times its idf. The row holds W'u, and |u|^2 in the last column. An
    n-gram that occurs c times has c^2 idf^2 in |u|^2, to which its c-th occurrence adds idf^2 (2 c - 1).
    """
    classes = weights.shape[1]
    rows = np.zeros((len(starts) - 1, classes + 1), np.float32)
    counts = np.zeros(len(idf), np.int32)
    for word in range(len(rows)):
        for key in keys[starts[word] : starts[word + 1]]:
            feature = find(key, slots)
            if feature != NOT_FOUND:
                counts[feature] += 1
                for c in range(classes):
                    rows[word, c] += idf[feature] * weights[feature, c]
                rows[word, classes] += np.float32(2 * counts[feature] - 1) * idf[feature] * idf[feature]
        for key in keys[starts[word] : starts[word + 1]]:
            feature = find(key, slots)
            if feature != NOT_FOUND:
                counts[feature] = 0
    return rows


@prebuilt_kernel("i4[::1], i8[::1], f4[:, ::1], f4[:, ::1], f4[::1]")
def character_logits(words: Ints, offsets: Sizes, known: Floats, unseen: Floats, bias: Floats) -> Floats:
    """Return the logits of a `CharacterNgrams`, float32 [rows, classes].

    `known` and `unseen` are `word_rows`: word i has row i of `known`, or row i - len(known) of `unseen`.
    """
    classes = len(bias)
    logits = np.zeros((len(offsets) - 1, classes), np.float32)
    for row in range(len(logits)):
        squares = np.float32(0)
        for place in range(offsets[row], offsets[row + 1]):
            word = words[place]
            added = known[word] if word < len(known) else unseen[word - len(known)]
            for c in range(classes):
                logits[row, c] += added[c]
            squares += added[classes]
        length = np.float32(math.sqrt(squares)) if squares > 0 else np.float32(1)
        for c in range(classes):
            logits[row, c] = logits[row, c] / length + bias[c]
    return logits


@prebuilt_kernel("i4[::1], i4[::1], i4[::1], i4[::1], i8")
def rows_with(starts: Ints, words: Ints, ngram_starts: Ints, ngrams: Ints, count: int) -> Sizes:
    """Return how many rows have each of `count` n-grams, int64 [count].

    Row i has the words `words[starts[i]:starts[i + 1]]`, of which word w has the n-grams
    `ngrams[ngram_starts[w]:ngram_starts[w + 1]]`.
    """
    rows, last = np.zeros(count, np.int64), np.full(count, NOT_FOUND, np.int64)
    for row in range(len(starts) - 1):
        for word in words[starts[row] : starts[row + 1]]:
            for ngram in ngrams[ngram_starts[word] : ngram_starts[word + 1]]:
                if last[ngram] != row:
                    last[ngram] = row
                    rows[ngram] += 1
    return rows


@kernel
def longest_row(offsets: Sizes) -> int:
    """Return the number of tokens in the longest row, 0 if there is none."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


@prebuilt_kernel("i8[::1]")
def hash_table(keys: Sizes) -> Sizes:
    """Return an open hash table, int64 [a power of two, 2]: a key and its index in `keys`, or NOT_FOUND.

    It is empty if the keys collide so often that somebody must have chosen them for it: to make the table,
    and to look something up in it, would take the square of the time.
    """
    size = 16
    while size < 2 * len(keys):
        size *= 2
    slots = np.full((size, 2), NOT_FOUND, np.int64)
    patience = FEW_COLLISIONS + MOST_COLLISIONS * len(keys)
    for index in range(len(keys)):
        slot = _slot(keys[index], size)
        while slots[slot, 1] != NOT_FOUND:
            slot = (slot + 1) & (size - 1)
            patience -= 1
            if patience < 0:
                return slots[:0]
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
