"""Words outside the vocabulary, replaced by one that begins like them: `remakes` by `remake`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from os.path import commonprefix

MIN_PREFIX = 4  # characters in common
MIN_SHARE = 0.7  # of either word's characters that the common prefix has to cover
_LAST_CHARACTER = chr(0x10FFFF)


class SimilarWords:
    """A search for the vocabulary's word that shares the longest prefix with a given word.

    This stems words without a list of suffixes: word endings change the meaning least in most languages.
    """

    def __init__(self, words: Sequence[str]) -> None:
        """`words` are in descending order of their counts."""
        self._words = sorted((word, rank) for rank, word in enumerate(words) if len(word) >= MIN_PREFIX)

    def find(self, word: str) -> int | None:
        """Return the index in `words` of the word with the longest common prefix, or None if that is short.

        Of several, the word nearest in length is taken, then the most frequent.
        """
        place = bisect_left(self._words, (word,))
        neighbours = [neighbour for neighbour, _ in self._words[max(0, place - 1) : place + 1]]
        prefixes = [commonprefix([word, neighbour]) for neighbour in neighbours]  # noqa: RUF071  (no paths)
        prefix = max(prefixes, key=len, default="")
        max_length = len(prefix) / MIN_SHARE
        if len(prefix) < MIN_PREFIX or len(word) > max_length:
            return None
        start = bisect_left(self._words, (prefix,))
        end = bisect_left(self._words, (prefix + _LAST_CHARACTER,))
        candidates = [
            (abs(len(candidate) - len(word)), rank)
            for candidate, rank in self._words[start:end]
            if len(candidate) <= max_length
        ]
        return min(candidates)[1] if candidates else None
