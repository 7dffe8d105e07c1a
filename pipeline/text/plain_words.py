"""The words of texts in normal form, as hashes, found by compiled code: near copies are told by them.

They are coarser than tokens: numbers are all one word, and what is neither letter nor digit is none.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Bytes, Ints, Sizes
from ..compilation.kernel import FNV_OFFSET, FNV_PRIME, prebuilt_kernel

NUMBER = np.uint64(1)  # the hash of whatever is a number
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")  # written without spaces
_SYMBOLS = "$+<=>^`|~"  # of ASCII, which are no part of a word
_UNKNOWN, _BLANK, _SYMBOL, _DIGIT, _IDEOGRAM, _LETTER = range(6)  # kinds of characters


class FoundWords(NamedTuple):
    """The words of texts: `hashes` uint64 [words], laid end to end, and two counts for each text, int64.

    `lengths` [texts] are the numbers of words, and `halves` [texts] twice those that are no numbers, but of
    ideographs, of which two count as a word, once.
    """

    hashes: NDArray[np.uint64]
    lengths: Sizes
    halves: Sizes

    @classmethod
    def joined(cls, pieces: Sequence[FoundWords]) -> FoundWords:
        """Return the words of all pieces."""
        none = cls(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
        return cls(*map(np.concatenate, zip(none, *pieces, strict=True)))


class WordFinder:
    """A search for words, which learns the kinds of characters as it meets them."""

    def __init__(self) -> None:
        self._kinds = np.full(sys.maxunicode + 1, _UNKNOWN, np.uint8)

    def find(self, texts: Sequence[str]) -> FoundWords:
        """Return the words of texts.

        A run of digits, with others that follow a single blank each, is a number. An ideograph is a word, and
        so is any other run of letters.
        """
        characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.int32)
        self._learn(characters)
        bounds = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return FoundWords(*_find_words(characters, bounds, self._kinds))

    def _learn(self, characters: Ints) -> None:
        occurs = np.zeros(len(self._kinds), np.bool_)
        occurs[characters] = True
        for code in np.flatnonzero(occurs & (self._kinds == _UNKNOWN)).tolist():
            self._kinds[code] = _kind(chr(code))


def _kind(character: str) -> int:
    if character.isspace():
        return _BLANK
    if character in _SYMBOLS:
        return _SYMBOL
    if character.isdecimal():
        return _DIGIT
    return _IDEOGRAM if _IDEOGRAPH.match(character) else _LETTER


@prebuilt_kernel("i4[::1], i8[::1], u1[::1]")
def _find_words(characters: Ints, bounds: Sizes, kinds: Bytes) -> tuple[NDArray[np.uint64], Sizes, Sizes]:
    """Return the fields of `FoundWords`: text i is `characters[bounds[i]:bounds[i + 1]]`, code points."""
    hashes, n = np.empty(len(characters), np.uint64), 0
    lengths, halves = np.zeros(len(bounds) - 1, np.int64), np.zeros(len(bounds) - 1, np.int64)
    for text in range(len(lengths)):
        i, end, first = bounds[text], bounds[text + 1], n
        while i < end:
            kind, code = kinds[characters[i]], FNV_OFFSET
            if kind in (_BLANK, _SYMBOL):
                i += 1
                continue
            if kind == _DIGIT:
                code = NUMBER
                i += 1
                while i < end and kinds[characters[i]] in (_DIGIT, _BLANK):
                    is_digit = kinds[characters[i]] == _DIGIT
                    if not is_digit and (i + 1 == end or kinds[characters[i + 1]] != _DIGIT):
                        break
                    i += 1
            elif kind == _IDEOGRAM:
                code = (code ^ np.uint64(characters[i])) * FNV_PRIME
                halves[text] += 1
                i += 1
            else:
                while i < end and kinds[characters[i]] == _LETTER:
                    code = (code ^ np.uint64(characters[i])) * FNV_PRIME
                    i += 1
                halves[text] += 2
            hashes[n] = code
            n += 1
        lengths[text] = n - first
    return hashes[:n].copy(), lengths, halves
