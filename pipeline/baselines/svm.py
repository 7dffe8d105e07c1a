"""A linear SVM over the TF-IDF of tokens and pairs, and of the character n-grams of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from ..arrays import Labels
from ..linear.svm import Machine, Stop, machines
from .candidate import NGRAMS, Candidate, FittedCandidate, Texts, documents, setting

C_VALUES = (0.03, 0.1, 0.3, 1.0)  # scikit-learn's C; 3 is no better on MR, TREC and SMS Spam
CHARACTERS = (2, 5)  # of an n-gram, among them the blank at either end of a word
MINIMUM_ROWS = 2  # that an n-gram of characters occurs in
EXACT = Stop(1000, 0.01)


def candidates(
    training: Texts, labels: Labels, classes: int, seed: int, balanced: bool, values: Sequence[float]
) -> Iterator[Candidate]:
    """Fit an SVM for each C, rising, on labels int64 [rows] of two classes or more.

    It is that of LinearSVC, fitted by the solver of the classifier's own members in half the time: of the
    labels of held-out rows of docstrings, MR, TREC and banking77 one in 10,000 differs. If `balanced`, every
    class has the same weight.
    """
    features = TokensAndCharacters()
    weighted = features.fit_transform(training)
    transform = lru_cache(maxsize=1)(features.transform)  # every candidate is asked for the same rows

    def predict(machine: Machine, texts: Texts) -> Labels:
        scores = transform(texts) @ machine.weights + machine.bias
        predicted: Labels = scores.argmax(axis=1)
        return predicted

    for machine in machines(weighted, labels, classes, False, balanced, seed, values, stop=EXACT):
        yield FittedCandidate(setting(f"C = {machine.C:g}", balanced), partial(predict, machine))


class TokensAndCharacters:
    """The TF-IDF of tokens and pairs, beside that of the character n-grams within the words between blanks.

    Counts are logarithmic, and each half of a row has length 1, or 0 if it has no n-gram. The tokens are the
    network's, where a word outside the vocabulary counts as a similar one: with scikit-learn's words instead,
    accuracy is 0.4 points less on MR and 1.3 on TREC.
    """

    def __init__(self) -> None:
        self._tokens = TfidfVectorizer(sublinear_tf=True, **NGRAMS)
        self._characters = CountVectorizer(analyzer="char_wb", ngram_range=CHARACTERS, dtype=np.float64)
        self._weights = TfidfTransformer(sublinear_tf=True)

    def fit_transform(self, training: Texts) -> Any:
        """Learn from texts, one of which has a token at least; return float64 [rows, features], sparse."""
        words, counts = count_words(training.texts)
        found = counts @ self._characters.fit_transform(words)
        rows = np.bincount(found.indices)
        self._kept = np.flatnonzero(rows >= min(MINIMUM_ROWS, rows.max()))
        found = found[:, self._kept]
        characters = self._weights.fit(found).transform(found, copy=False)
        return hstack([self._tokens.fit_transform(documents(training.tokens)), characters], "csr")

    def transform(self, texts: Texts) -> Any:
        """Return the features of other rows, float64 [rows, features], sparse."""
        words, counts = count_words(texts.texts)
        found = (counts @ self._characters.transform(words))[:, self._kept]
        characters = self._weights.transform(found, copy=False)
        return hstack([self._tokens.transform(documents(texts.tokens)), characters], "csr")


def count_words(texts: list[str]) -> tuple[Any, Any]:
    """Return the distinct words between blanks, str [words], and their counts [texts, words], sparse.

    No n-gram reaches over the end of a word, so that those of a word need be found once, however often it
    occurs.
    """
    rows = [text.lower().split() for text in texts]
    codes, words = pd.factorize(np.array([*chain.from_iterable(rows)], object))
    offsets = np.cumsum([0, *map(len, rows)])
    return words, csr_matrix((np.ones(len(codes)), codes, offsets), (len(rows), len(words)))
