"""A linear SVM over the TF-IDF of tokens and pairs, and of the character n-grams of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfTransformer

from ..arrays import Labels
from ..linear.character_ngrams import distinct_word_ngrams, word_ngrams
from ..linear.kernels import rows_with
from ..linear.svm import Machine, Stop, machines
from ..linear.token_ngrams import distinct_ngrams, ngram_counts
from .candidate import Candidate, FittedCandidate, Texts, setting

C_VALUES = (0.03, 0.1, 0.3, 1.0)  # scikit-learn's C; 3 is no better on MR, TREC and SMS Spam
MINIMUM_ROWS = 2  # that an n-gram of characters occurs in
FINE = Stop(1000, 0.01)  # a tenth of the members' tolerance
WHOLE = None  # letters of a word between blanks: a text without blanks is one


def candidates(
    training: Texts, labels: Labels, seed: int, balanced: bool, values: Sequence[float]
) -> Iterator[Candidate]:
    """Fit an SVM for each C, rising, on labels int64 [rows] of two classes or more.

    It is that of LinearSVC, fitted by the solver of the classifier's own members in half the time: of the
    labels of held-out rows of docstrings, MR, TREC and banking77 one in 10,000 differs. If `balanced`, every
    class has the same weight among the rows of each machine, where LinearSVC weighs one class against all.
    """
    present, numbers = np.unique(labels, return_inverse=True)
    features = TokensAndCharacters()
    weighted = features.fit_transform(training)
    transform = lru_cache(maxsize=1)(features.transform)  # every candidate is asked for the same rows

    def predict(machine: Machine, texts: Texts) -> Labels:
        scores = transform(texts) @ machine.weights + machine.bias
        predicted: Labels = present[scores.argmax(axis=1)]
        return predicted

    by_ratio = False
    fitted = machines(weighted, numbers, len(present), by_ratio, balanced, seed, values, stop=FINE)
    for machine in fitted:
        yield FittedCandidate(setting(f"C = {machine.C:g}", balanced), partial(predict, machine))


class TokensAndCharacters:
    """The TF-IDF of tokens and pairs, beside that of the character n-grams within the words between blanks.

    Counts are logarithmic, and each half of a row has length 1, or 0 if it has no n-gram. An n-gram has two
    to five characters, among them the blank at either end of a word. The tokens are the network's, where a
    word outside the vocabulary counts as a similar one: with scikit-learn's words instead, accuracy is 0.4
    points less on MR and 1.3 on TREC. The boundary between two columns is in no n-gram.
    """

    def __init__(self) -> None:
        self._token_weights = TfidfTransformer(sublinear_tf=True)
        self._character_weights = TfidfTransformer(sublinear_tf=True)

    def fit_transform(self, training: Texts) -> Any:
        """Learn from texts, one of which has a token at least; return float32 [rows, features], sparse."""
        self._tokens, tokens = distinct_ngrams(training.tokens)
        words, counts = count_words(training.texts)
        keys, spelled = distinct_word_ngrams(words, WHOLE)
        rows = rows_with(counts.indptr, counts.indices, spelled.indptr, spelled.indices, len(keys))
        frequent = np.flatnonzero(rows >= min(MINIMUM_ROWS, rows.max()))
        self._characters, characters = keys[frequent], counts @ spelled[:, frequent]
        self._token_weights.fit(tokens)
        self._character_weights.fit(characters)
        return self._weighted(tokens, characters)

    def transform(self, texts: Texts) -> Any:
        """Return the features of other rows, float32 [rows, features], sparse."""
        words, counts = count_words(texts.texts)
        keys, starts = word_ngrams(words, WHOLE)
        of_words = np.repeat(np.arange(len(words)), np.diff(starts))
        columns = np.searchsorted(self._characters, keys)
        known = np.append(self._characters, 0)[columns] == keys
        known &= columns < len(self._characters)
        ones = np.ones(np.count_nonzero(known), np.float32)
        shape = len(words), len(self._characters)
        characters = counts @ csr_matrix((ones, (of_words[known], columns[known])), shape)
        return self._weighted(ngram_counts(texts.tokens, self._tokens), characters)

    def _weighted(self, tokens: Any, characters: Any) -> Any:
        halves = (
            self._token_weights.transform(tokens),
            self._character_weights.transform(characters, copy=False),
        )
        return hstack(halves, "csr")


def count_words(texts: Iterable[str]) -> tuple[Any, Any]:
    """Return the distinct words between blanks, str [words], and their counts [texts, words], sparse.

    No n-gram reaches over the end of a word, so that those of a word need be found once, however often it
    occurs.
    """
    rows = [text.lower().split() for text in texts]
    codes, words = pd.factorize(np.array([*chain.from_iterable(rows)], object))
    offsets = np.cumsum([0, *map(len, rows)])
    return words, csr_matrix((np.ones(len(codes), np.float32), codes, offsets), (len(rows), len(words)))
