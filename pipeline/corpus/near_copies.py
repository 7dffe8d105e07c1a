"""Near copies: rows outside the training part whose text is almost that of a training row."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from .equality import normalized

SHINGLE = 3  # words
SIMILARITY = 0.8  # the factors 4 and 5 below follow from it
MAX_CANDIDATES = 100  # training rows that a row is compared with
_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # each a word: they are written without spaces
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")


@dataclass(frozen=True)
class _ShingleSets:
    """The set of shingles of each text, laid end to end.

    A shingle's number is its rank by frequency in the training part, so that each set begins with its rarest.
    `shingles` is int64 [shingles of all texts]; set i is `shingles[offsets[i]:offsets[i + 1]]`.
    """

    shingles: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __getitem__(self, row: int) -> NDArray[np.int64]:
        return self.shingles[self.offsets[row] : self.offsets[row + 1]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    def rarest(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rarest fifth of each set, and one more: the rows, and the shingles that they have."""
        rows = np.repeat(np.arange(len(self.sizes)), self.sizes)
        position = np.arange(len(rows)) - self.offsets[rows]
        rare = position <= self.sizes[rows] // 5
        return rows[rare], self.shingles[rare]


def near_copies(texts: Sequence[str], training: NDArray[np.bool_]) -> dict[int, tuple[int, float]]:
    """Return, for each row outside training that has one, its nearest training row and their resemblance.

    Resemblance is Jaccard's index of the sets of shingles, three successive words each, case and punctuation
    aside (Broder 1997, On the resemblance and containment of documents); it is SIMILARITY or more. A text of
    fewer words is one shingle.

    Two sets that resemble by 0.8 share one of their rarest fifth (Chaudhuri, Ganti and Kaushik 2006, A
    primitive operator for similarity joins), so only texts that do are compared, and exactly. Only where a
    text has more than MAX_CANDIDATES variants can a copy be missed.
    """
    sets = _shingle_sets(texts, training)
    copies = {}
    for row, candidates in _candidates(sets, training):
        resemblance, nearest = max((_jaccard(sets[row], sets[other]), -other) for other in candidates)
        if resemblance >= SIMILARITY:
            copies[row] = (-nearest, resemblance)
    return copies


def _candidates(sets: _ShingleSets, training: NDArray[np.bool_]) -> Iterator[tuple[int, list[int]]]:
    """Yield rows outside training, each with the training rows of similar size that share a rare shingle."""
    rows, shingles = sets.rarest()
    sizes = sets.sizes
    max_size = int(sizes.max(initial=0))
    # Sorted by shingle, then size: the candidates of a shingle and a range of sizes are a range of the index.
    keys = shingles * (max_size + 1) + sizes[rows]
    is_training = training[rows]
    order = np.argsort(keys[is_training], kind="stable")
    index_keys, index_rows = keys[is_training][order], rows[is_training][order]

    query_rows, query_keys = rows[~is_training], keys[~is_training]
    query_sizes = sizes[query_rows]
    smallest = query_keys - query_sizes // 5  # the other set has 4/5 to 5/4 of the shingles
    largest = query_keys + np.minimum(query_sizes // 4, max_size - query_sizes)
    same_size = np.searchsorted(index_keys, query_keys)
    starts = np.maximum(np.searchsorted(index_keys, smallest), same_size - MAX_CANDIDATES)
    stops = np.minimum(np.searchsorted(index_keys, largest, "right"), same_size + MAX_CANDIDATES)

    ranges: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for query in np.flatnonzero(starts < stops).tolist():
        ranges[int(query_rows[query])].append(index_rows[starts[query] : stops[query]])
    for row, matches in ranges.items():
        yield row, pd.unique(np.concatenate(matches))[:MAX_CANDIDATES].tolist()


def _jaccard(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def _shingle_sets(texts: Sequence[str], training: NDArray[np.bool_]) -> _ShingleSets:
    words, word_counts, vocabulary_size = _word_ids(texts)
    row_of_word = np.repeat(np.arange(len(texts)), word_counts)
    starts = np.flatnonzero(row_of_word[: 1 - SHINGLE] == row_of_word[SHINGLE - 1 :])
    codes = words[starts]
    for offset in range(1, SHINGLE):  # exact up to 2.6 million words; beyond, a hash modulo 2^64
        codes = codes * np.uint64(vocabulary_size) + words[starts + offset]
    shingles, distinct = pd.factorize(codes)
    rows = row_of_word[starts]

    frequency = np.bincount(shingles[training[rows]], minlength=len(distinct))
    rank = np.empty(len(distinct), np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(distinct))
    pairs = np.sort(rows * len(distinct) + rank[shingles])  # numpy.unique's hash takes five times as long
    rows, shingles = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], max(1, len(distinct)))
    sizes = np.bincount(rows, minlength=len(texts))
    return _ShingleSets(shingles, np.concatenate([[0], np.cumsum(sizes)]))


def _word_ids(texts: Sequence[str]) -> tuple[NDArray[np.uint64], list[int], int]:
    """Return the words of all texts as numbers, end to end, how many each text has, and how many differ.

    A text of fewer words than a shingle is filled up with empty ones.
    """
    vocabulary: dict[str, int] = defaultdict(count().__next__)
    ids, word_counts = array("q"), []
    for text in tqdm(texts, "near copies", unit="text", leave=False, disable=None):
        words = _WORD.findall(normalized(text))
        words += [""] * (SHINGLE - len(words)) if words else []
        ids.extend(map(vocabulary.__getitem__, words))
        word_counts.append(len(words))
    return np.array(ids, np.uint64), word_counts, len(vocabulary)
