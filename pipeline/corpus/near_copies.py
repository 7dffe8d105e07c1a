"""Near copies: different texts that are almost the same, such as those made from one template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..arrays import sample
from ..compilation.kernel import FNV_PRIME
from ..environment.memory import available_memory
from ..progress import Bar
from ..text.plain_words import FoundWords, WordFinder
from .equality import normalized

SHINGLE = 3  # words
SIMILARITY = 0.8  # of shingles; the factors 4 and 5 below follow from it
MAX_CANDIDATES = 100  # texts that a text is compared with by shingles
MIN_WORDS = 3  # other than numbers: of fewer, texts are equal or different
# Lengths at which one other word makes a near copy. Of five words, "how do I ... my card" is enough to chain
# a corpus of questions together; from 30 on, shingles find it.
MIN_MASKED, MAX_MASKED = 6, 30

SHARE = 0.3  # of the memory
BYTES = 15  # that a character takes in all, while words and shingles are compared
SAMPLE = 1_000  # texts, by which the length of others is estimated

_MASK = np.array([2**40], np.uint64)  # stands for any word
_TEXTS_AT_ONCE = 1 << 16
_PAIRS_AT_ONCE = 1 << 20
Numbers = NDArray[np.int64]


class Pairs(NamedTuple):
    """Texts that are near each other: places `first` and `second` int64 [pairs], `similarity` float64."""

    first: Numbers
    second: Numbers
    similarity: NDArray[np.float64]

    @classmethod
    def joined(cls, pieces: Iterable[Pairs]) -> Pairs:
        first, second, similarity = zip(*pieces, strict=True)
        return cls(np.concatenate(first), np.concatenate(second), np.concatenate(similarity))


@dataclass(frozen=True)
class _Words:
    """The words of all texts, as hashes end to end; whatever is a number is one and the same word.

    `ids` is uint64 [words of all texts], those of text i `ids[offsets[i]:offsets[i + 1]]`. `weight` int64
    [texts] is the number of words that are no numbers, where two ideographs count as one.
    """

    ids: NDArray[np.uint64]
    offsets: Numbers
    weight: Numbers

    @classmethod
    def of(cls, texts: pd.Series[str]) -> _Words:
        finder, pieces = WordFinder(), list[FoundWords]()
        with Bar("near copies", len(texts), unit="text", unit_scale=True) as bar:
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                block = [normalized(text) for text in texts.iloc[start : start + _TEXTS_AT_ONCE]]
                pieces.append(finder.find(block))
                bar.update(len(block))
        found = FoundWords.joined(pieces)
        offsets = np.concatenate([[0], np.cumsum(found.lengths)])
        return cls(found.hashes, offsets, found.halves // 2)

    @property
    def lengths(self) -> Numbers:
        return np.diff(self.offsets)

    @property
    def text(self) -> Numbers:
        """The text that each word is of, int64 [words]."""
        return np.repeat(np.arange(len(self.weight)), self.lengths)


@dataclass(frozen=True)
class _ShingleSets:
    """The set of shingles of each text, laid end to end.

    A shingle's number is its rank by frequency, so that each set begins with its rarest. `shingles` is int64
    [shingles of all texts]; set i is `shingles[offsets[i]:offsets[i + 1]]`.
    """

    shingles: Numbers
    offsets: Numbers

    @classmethod
    def of(cls, words: _Words) -> _ShingleSets:
        """Return the sets of texts of MIN_WORDS or more; those of others are empty."""
        text = words.text
        starts = np.flatnonzero(text[: 1 - SHINGLE] == text[SHINGLE - 1 :])
        starts = starts[words.weight[text[starts]] >= MIN_WORDS]
        codes = words.ids[starts]
        for offset in range(1, SHINGLE):  # modulo 2^64
            codes = codes * FNV_PRIME + words.ids[starts + offset]
        shingles, distinct = pd.factorize(codes)  # numpy.unique takes five times as long
        frequency = np.bincount(shingles, minlength=len(distinct))
        rank = np.empty(len(distinct), np.int64)
        rank[np.argsort(frequency, kind="stable")] = np.arange(len(distinct))
        pairs = np.sort(text[starts] * len(distinct) + rank[shingles])
        texts, shingles = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], max(1, len(distinct)))
        sizes = np.bincount(texts, minlength=len(words.weight))
        return cls(shingles, np.concatenate([[0], np.cumsum(sizes)]))

    @property
    def sizes(self) -> Numbers:
        return np.diff(self.offsets)

    def rarest(self) -> tuple[Numbers, Numbers]:
        """Return the rarest fifth of each set, and one more: the texts, and the shingles that they have."""
        texts = np.repeat(np.arange(len(self.sizes)), self.sizes)
        position = np.arange(len(texts)) - self.offsets[texts]
        rare = position <= self.sizes[texts] // 5
        return texts[rare], self.shingles[rare]

    def similarity(self, first: Numbers, second: Numbers) -> NDArray[np.float64]:
        """Return Jaccard's index of pairs of sets, float64 [pairs]."""
        from scipy.sparse import csr_matrix  # imported late: images have no use for it

        width = int(self.shingles.max(initial=0)) + 1
        ones = np.ones(len(self.shingles), np.int32)
        sets = csr_matrix((ones, self.shingles, self.offsets), (len(self.sizes), width))
        shared = np.asarray(sets[first].multiply(sets[second]).sum(axis=1)).ravel()
        jaccard: NDArray[np.float64] = shared / (self.sizes[first] + self.sizes[second] - shared)
        return jaccard


class NearTexts:
    """Different texts, and which of them are near copies of each other.

    Two texts are near copies if, case, punctuation and numbers aside,

    - they have the same words, MIN_WORDS or more; or
    - they differ in one word of MIN_MASKED to MAX_MASKED (by hashes modulo 2^64 of each text with each of its
      words masked); their similarity is the share of words that agree; or
    - their sets of shingles, three successive words each, have a Jaccard index of SIMILARITY or more (Broder
      1997, On the resemblance and containment of documents), which is their similarity.

    Two sets that resemble by 0.8 share one of their rarest fifth (Chaudhuri, Ganti and Kaushik 2006, A
    primitive operator for similarity joins), so only texts that do are compared, and exactly. Only where a
    text has more than MAX_CANDIDATES variants can a copy be missed.

    Of more texts than fit into `memory` bytes a sample is searched, of `searched` texts: the others have no
    copies.
    """

    def __init__(self, texts: pd.Series[str], memory: int | None) -> None:
        places = sample(np.arange(len(texts)), _max_texts(texts, available_memory(memory)), seed=1)
        self.searched = len(places)
        if self.searched < len(texts):
            texts = texts.where(np.isin(np.arange(len(texts)), places), "")
        self._words = _Words.of(texts)
        self._sets = _ShingleSets.of(self._words)
        self._masked_keys = _masked_keys(self._words)

    def pairs(self) -> Pairs:
        """Return pairs by which all near copies are connected, directly or over others."""
        everything = np.ones(len(self._words.weight), bool)
        keys, texts = self._masked_keys
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(np.diff(keys[order]) == 0)
        first, second = texts[order[same]], texts[order[same + 1]]
        by_masks = Pairs(first, second, self._agreement(first))
        return Pairs.joined([by_masks, *self._by_shingles(everything, everything)])

    def copies_of(self, training: NDArray[np.bool_]) -> dict[int, tuple[int, float]]:
        """Return, for each text outside `training` bool [texts] that has one, its nearest text in it.

        With the similarity of the two.
        """
        found = Pairs.joined([self._by_masks(training), *self._by_shingles(~training, training)])
        copies: dict[int, tuple[int, float]] = {}
        for place in np.lexsort((found.second, -found.similarity, found.first)).tolist():
            copy = int(found.second[place]), float(found.similarity[place])
            copies.setdefault(int(found.first[place]), copy)
        return copies

    def _by_masks(self, training: NDArray[np.bool_]) -> Pairs:
        """Return each text outside training that differs from one in it by a word, with the first such."""
        keys, texts = self._masked_keys
        inside = training[texts]
        known, places = np.unique(keys[inside], return_index=True)
        queries, query_keys = texts[~inside], keys[~inside]
        found = np.searchsorted(known, query_keys)
        has = found < len(known)
        has[has] = known[found[has]] == query_keys[has]
        queries, others = queries[has], texts[inside][places[found[has]]]
        return Pairs(queries, others, self._agreement(queries))

    def _agreement(self, texts: Numbers) -> NDArray[np.float64]:
        return 1 - 1 / self._words.lengths[texts]

    def _by_shingles(self, queried: NDArray[np.bool_], indexed: NDArray[np.bool_]) -> Iterator[Pairs]:
        """Yield pairs of a queried and an indexed text that have most of their shingles in common."""
        for first, second in _candidates(self._sets, queried, indexed):
            similarity = self._sets.similarity(first, second)
            near = similarity >= SIMILARITY
            yield Pairs(first[near], second[near], similarity[near])


def _max_texts(texts: pd.Series[str], memory: int) -> int:
    """Return how many texts like these fit into so many bytes."""
    lengths = [len(text) for text in texts.iloc[:: max(1, len(texts) // SAMPLE)]]
    return int(SHARE * memory / (BYTES * max(1.0, float(np.mean(lengths or [1])))))


def _masked_keys(words: _Words) -> tuple[NDArray[np.uint64], Numbers]:
    """Return a hash of each text of a moderate length with each of its words masked, and the text.

    It is a polynomial modulo 2^64 of the words' mixed numbers: it takes one pass to mask every word in turn.
    """
    text, length = words.text, words.lengths
    position = np.arange(len(text)) - words.offsets[text]
    powers = np.full(int(length.max(initial=0)) + 1, 0xD6E8FEB86659FD93, np.uint64)
    powers[0] = 1
    power = np.multiply.accumulate(powers)[position]
    terms = _mixed(words.ids) * power
    total = np.zeros(len(length) + 1, np.uint64)
    np.add.at(total, text, terms)
    moderate = (words.weight >= MIN_MASKED) & (length <= MAX_MASKED)
    kept = moderate[text]
    return (total[text] - terms + _mixed(_MASK) * power)[kept], text[kept]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers with their bits mixed (the finalizer of Steele, Lea and Flood 2014, SplitMix)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(
    sets: _ShingleSets, queried: NDArray[np.bool_], indexed: NDArray[np.bool_]
) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield queried texts, each with indexed texts of similar size that share a rare shingle, in pieces."""
    texts, shingles = sets.rarest()
    sizes = sets.sizes
    max_size = int(sizes.max(initial=0))
    # Sorted by shingle, then size: the candidates of a shingle and a range of sizes are a range of the index.
    keys = shingles * (max_size + 1) + sizes[texts]
    is_indexed, is_queried = indexed[texts], queried[texts]
    order = np.argsort(keys[is_indexed], kind="stable")
    index_keys, index_texts = keys[is_indexed][order], texts[is_indexed][order]

    queries, query_keys = texts[is_queried], keys[is_queried]
    query_sizes = sizes[queries]
    smallest = query_keys - query_sizes // 5  # the other set has 4/5 to 5/4 of the shingles
    largest = query_keys + np.minimum(query_sizes // 4, max_size - query_sizes)
    same_size = np.searchsorted(index_keys, query_keys)
    starts = np.maximum(np.searchsorted(index_keys, smallest), same_size - MAX_CANDIDATES)
    stops = np.minimum(np.searchsorted(index_keys, largest, "right"), same_size + MAX_CANDIDATES)

    counts = np.maximum(0, stops - starts)
    pieces = np.cumsum(counts) // _PAIRS_AT_ONCE
    # A piece ends where a text does, so that all its candidates are in one.
    borders = np.flatnonzero((np.diff(pieces) > 0) & (np.diff(queries) > 0)) + 1
    for piece in np.split(np.arange(len(queries)), borders):
        repeats = counts[piece]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        first = np.repeat(queries[piece], repeats)
        second = index_texts[np.repeat(starts[piece], repeats) + within]
        yield _first_of_each(first[first != second], second[first != second], len(sizes))


def _first_of_each(first: Numbers, second: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """Return the pairs without repetition, at most MAX_CANDIDATES of each text; `first` ascends."""
    _, places = np.unique(first * count + second, return_index=True)
    first, second = first[np.sort(places)], second[np.sort(places)]
    rank = np.arange(len(first)) - np.searchsorted(first, first)
    return first[rank < MAX_CANDIDATES], second[rank < MAX_CANDIDATES]
