"""The search of `text.similar_words` as a table, for graphs that can look a string up but not search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..inputs import UNKNOWN
from ..text.similar_words import MIN_PREFIX, MIN_SHARE, shortest_prefix


@dataclass(frozen=True, eq=False)
class PrefixTable:
    """The id of the similar word for every prefix of a vocabulary's words and length of an unseen word.

    A word of n characters whose longest prefix in the table, number i, has n - c characters has the id
    `similar[starts[i] + c]`, UNKNOWN for none, if that prefix has `shortest[n]` characters or more.
    `shortest` int32 ends with the longest word that may have such a prefix.
    """

    prefixes: list[str]
    starts: list[int]
    similar: NDArray[np.int32]
    shortest: NDArray[np.int32]

    @classmethod
    def of(cls, words: Sequence[str]) -> PrefixTable:
        """Return the table of words in descending order of their counts, the first of which has id 2."""
        candidates: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)  # length, id
        for number, word in enumerate(words, UNKNOWN + 1):
            for length in range(MIN_PREFIX, len(word) + 1):
                fitting = candidates[word[:length]]
                if len(word) <= length / MIN_SHARE:
                    fitting.append((len(word), number))
        starts, similar = list[int](), list[int]()
        for prefix, fitting in candidates.items():
            starts.append(len(similar))
            for length in _lengths(len(prefix)):
                nearest = min((abs(size - length), number) for size, number in fitting) if fitting else None
                similar.append(nearest[1] if nearest else UNKNOWN)
        longest = max((_lengths(len(prefix))[-1] for prefix in candidates), default=0)
        shortest = [shortest_prefix(length) for length in range(longest + 1)]
        return cls([*candidates], starts, np.array(similar, np.int32), np.array(shortest, np.int32))

    @property
    def most_cut(self) -> int:
        """The greatest c."""
        return int((np.arange(len(self.shortest)) - self.shortest).max(initial=0))


def _lengths(prefix: int) -> range:
    """Return the lengths of the words that may be replaced by one with a common prefix of this length."""
    most = prefix
    while shortest_prefix(most + 1) <= prefix:
        most += 1
    return range(prefix, most + 1)
