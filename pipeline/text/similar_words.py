"""Words outside the vocabulary, replaced by one that begins like them: `remakes` by `remake`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import count
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
        self._ranks = {word: rank for rank, word in enumerate(words) if len(word) >= MIN_PREFIX}

    @cached_property
    def _sorted(self) -> list[str]:
        """The words in alphabetical order: sorted at the first search, as many runs have none."""
        return sorted(self._ranks)

    def find(self, word: str) -> int | None:
        """Return the index in `words` of the word with the longest common prefix, or None if that is short.

        Of several, the word nearest in length is taken, then the most frequent.
        """
        length = shortest_prefix(len(word))
        place = bisect_left(self._sorted, word)
        neighbours = self._sorted[max(0, place - 1) : place + 1]
        neighbours = [neighbour for neighbour in neighbours if neighbour.startswith(word[:length])]
        if not neighbours or length > len(word):
            return None
        length = max(len(commonprefix([word, one])) for one in neighbours)  # noqa: RUF071  (no paths)
        prefix, max_length = word[:length], length / MIN_SHARE
        start = bisect_left(self._sorted, prefix)
        end = bisect_left(self._sorted, prefix + _LAST_CHARACTER, start)
        candidates = [
            (abs(len(candidate) - len(word)), self._ranks[candidate])
            for candidate in self._sorted[start:end]
            if len(candidate) <= max_length
        ]
        return min(candidates)[1] if candidates else None


@lru_cache(1024)
def shortest_prefix(length: int) -> int:
    """Return the characters that a word of this length must share with another one, which it may not have."""
    near = max(MIN_PREFIX, int(length * MIN_SHARE) - 1)
    return next(shared for shared in count(near) if length <= shared / MIN_SHARE)
