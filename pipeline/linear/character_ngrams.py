"""A linear model on the character n-grams of words, of which each word is one row of a table.

A text is the sum of its words' n-grams, so that a word adds the same wherever it stands. The exact length of
that sum would need the n-grams themselves; the root of the sum of the words' squared lengths takes its place,
which classifies as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Labels, check_array, check_finite, numbered
from ..inputs import PADDING, Sequences, UnseenWords
from .kernels import character_logits, hash_table, ngram_keys, rows_with, word_rows
from .token_ngrams import check_features, hashed, most_frequent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MINIMUM_ROWS = 2  # that an n-gram occurs in
MAX_LETTERS = 1000  # of a token, that are read
CACHE_BYTES = 1 << 27  # of the rows of unseen words that are kept from call to call


@dataclass(frozen=True, eq=False)
class CharacterNgrams:
    """logits = sum of W'u(t) / sqrt(sum of |u(t)|^2) + b over the words t of a row.

    u(t) are the counts of the word's n-grams of 2 to 5 characters, its two ends among them, times their
    inverse document frequency. `keys` int64 [features], rising, as `ngram_keys` gives them; `idf` float32
    [features], `weights` float32 [features, classes], `bias` float32 [classes]; `table` float32 [vocabulary,
    classes + 1] has W'u(t) and |u(t)|^2 of the vocabulary's words. All are finite. Arrays that do not fit one
    another are an InputError. A word outside the vocabulary computes its row once.
    """

    keys: NDArray[np.int64]
    idf: Floats
    weights: Floats
    bias: Floats
    table: Floats
    _slots: NDArray[np.int64] = field(init=False, repr=False)
    _lock: Lock = field(init=False, repr=False)
    _caches: WeakKeyDictionary[UnseenWords, _Rows] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_features(self.keys, self.idf, self.weights, self.bias)
        check_array("table", self.table, np.float32, (None, self.classes + 1))
        check_finite("table", self.table)
        object.__setattr__(self, "_slots", hashed(self.keys))
        object.__setattr__(self, "_lock", Lock())
        object.__setattr__(self, "_caches", WeakKeyDictionary())

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.bias.size

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CharacterNgrams:
        """Return the model that `arrays` describes."""
        return cls(arrays["keys"], arrays["idf"], arrays["weights"], arrays["bias"], arrays["table"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, to be saved."""
        return {
            "keys": self.keys,
            "idf": self.idf,
            "weights": self.weights,
            "bias": self.bias,
            "table": self.table,
        }

    def logits(self, sequences: Sequences) -> Floats:
        """Return the logits, float32 [rows, classes]."""
        unseen = self.unseen_rows(sequences)
        logits: Floats = character_logits(sequences.words, sequences.offsets, self.table, unseen, self.bias)
        return logits

    def predict(self, sequences: Sequences) -> Labels:
        """Return the labels, int64 [rows]."""
        predicted: Labels = self.logits(sequences).argmax(axis=1)
        return predicted

    def unseen_rows(self, sequences: Sequences) -> Floats:
        """Return rows as in `table` for the unseen words, float32 [words or more, classes + 1].

        Only those of words that occur in `sequences` are set. Threads may share them.
        """
        unseen = sequences.words[sequences.words >= len(self.table)] - len(self.table)
        places = np.flatnonzero(np.bincount(unseen))
        with self._lock:
            rows = self._caches.setdefault(sequences.unseen, _Rows(self.classes + 1))
            missing = rows.missing(places, len(sequences.unseen))
            if len(missing):
                words = [sequences.unseen.words[place] for place in missing.tolist()]
                rows.set(missing, rows_of(words, self._slots, self.idf, self.weights))
            return rows.values

    def rows(self, sequences: Sequences) -> Floats:
        """Return what each token adds, float32 [tokens, classes + 1], as `word_rows` does."""
        unseen, outside = self.unseen_rows(sequences), sequences.words >= len(self.table)
        rows = np.empty((len(outside), self.classes + 1), np.float32)
        rows[~outside] = self.table[sequences.words[~outside]]
        rows[outside] = unseen[sequences.words[outside] - len(self.table)]
        return rows


class _Rows:
    """Rows that are computed as they are needed, in an array that grows by doubling.

    Of many classes, the rows of as many words as an encoder remembers would take gigabytes: beyond
    CACHE_BYTES all are forgotten. Zeros that were never written take no memory.
    """

    def __init__(self, width: int) -> None:
        self.values = np.zeros((0, width), np.float32)
        self._known = np.zeros(0, np.bool_)
        self._count = 0

    def missing(self, places: NDArray[np.integer], count: int) -> NDArray[np.integer]:
        """Return those of the places that are not set, and make room for `count` rows."""
        if count > len(self.values):
            self._replace(max(count, 2 * len(self.values)), np.flatnonzero(self._known))
        missing: NDArray[np.integer] = places[~self._known[places]]
        if (self._count + len(missing)) * self.values.shape[1] * self.values.itemsize > CACHE_BYTES:
            self._replace(len(self.values), places[:0])
            missing = places
        return missing

    def set(self, places: NDArray[np.integer], values: Floats) -> None:
        """Set rows that were missing."""
        self.values[places], self._known[places] = values, True
        self._count += len(places)

    def _replace(self, count: int, kept: NDArray[np.integer]) -> None:
        """Replace the array, which other threads may still read, by one of `count` rows with those kept."""
        values, self.values = self.values, np.zeros((count, self.values.shape[1]), np.float32)
        self._known, self._count = np.zeros(count, np.bool_), 0
        self.set(kept, values[kept])


class CharacterFeatures:
    """The features of training rows, which `CharacterNgrams` has in words.

    `matrix` float32 [rows, features] is the sum of the words' u over the root of their squared lengths.
    """

    def __init__(self, training: Sequences, vocabulary: Sequence[str], most: int | None = None) -> None:
        """`vocabulary` are the words of the ids from 2 on; others are in `training.unseen`.

        Of more n-grams than `most`, those that are in most rows are kept.
        """
        from scipy.sparse import csr_matrix, diags

        self._vocabulary = vocabulary
        numbers, places = numbered(training.words)
        is_word = (training.words != PADDING).astype(np.float32)
        counts = csr_matrix((is_word, places, training.offsets), (len(training), len(numbers)))
        counts.eliminate_zeros()
        words = training.spell(numbers, vocabulary)
        distinct, spelled = distinct_word_ngrams(words)
        rows = rows_with(counts.indptr, counts.indices, spelled.indptr, spelled.indices, len(distinct))
        kept = np.flatnonzero(rows >= min(MINIMUM_ROWS, rows.max(initial=0)))
        if most is not None and len(kept) > most:
            kept = kept[most_frequent(rows[kept], most)]
        self.keys = distinct[kept]
        self.idf = (np.log((1 + len(training)) / (1 + rows[kept])) + 1).astype(np.float32)
        weighted = (spelled[:, kept] @ diags(self.idf)).astype(np.float32)
        squares = counts @ np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel()
        lengths = np.sqrt(np.where(squares > 0, squares, 1))
        self.matrix = (counts @ weighted).tocsr()
        self.matrix.data *= np.repeat(1 / lengths, np.diff(self.matrix.indptr)).astype(np.float32)

    def model(self, weights: Floats, bias: Floats) -> CharacterNgrams:
        """Return the model of weights [features, classes] that were fitted to the matrix."""
        words = ["", "", *self._vocabulary]
        table = rows_of(words, hash_table(self.keys), self.idf, weights)
        table[:2] = 0  # neither padding nor UNKNOWN is a word
        return CharacterNgrams(self.keys, self.idf, weights, bias, table)


def rows_of(words: Sequence[str], slots: NDArray[np.int64], idf: Floats, weights: Floats) -> Floats:
    """Return `word_rows` of words, float32 [words, classes + 1]."""
    rows: Floats = word_rows(*word_ngrams(words), slots, idf, weights)
    return rows


def distinct_word_ngrams(
    words: Sequence[str], longest: int | None = MAX_LETTERS
) -> tuple[NDArray[np.int64], csr_matrix]:
    """Return the keys of the n-grams that occur, int64 [n], rising, and how often each word has each.

    The counts are float32 [words, n], sparse; for `longest` see `word_ngrams`.
    """
    from scipy.sparse import csr_matrix

    keys, starts = word_ngrams(words, longest)
    distinct, columns = numbered(keys)
    counts = csr_matrix((np.ones(len(keys), np.float32), columns, starts), (len(words), len(distinct)))
    counts.sum_duplicates()
    return distinct, counts


def word_ngrams(
    words: Sequence[str], longest: int | None = MAX_LETTERS
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys of the words' n-grams, int64 [n], and where each word's begin, int64 [words + 1].

    Of a word that is longer than `longest` letters only the beginning counts.
    """
    keys, starts = ngram_keys(*_letters([word[:longest] for word in words]))
    return keys, starts


def _letters(words: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the code points of words laid end to end, and where each begins, int64 [words + 1]."""
    letters = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.int32)
    return letters, np.cumsum([0, *map(len, words)])
