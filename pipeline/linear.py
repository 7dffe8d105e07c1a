"""The opponent: TF-IDF over single tokens and pairs with logistic regression."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.sequences import Sequences

STRENGTHS = (1.0, 10.0)  # scikit-learn's own C, and the one that is mostly better on n-grams
Labels = NDArray[np.int64]


class LinearClassifier:
    """TF-IDF(1,2) and logistic regression on the network's own tokens and training rows.

    Its C is the one of STRENGTHS with the higher accuracy on the validation part.
    """

    def __init__(self) -> None:
        self._features = TfidfVectorizer(
            ngram_range=(1, 2), tokenizer=str.split, token_pattern=None, lowercase=False, dtype=np.float32
        )

    def fit(
        self, training: Sequences, labels: Labels, validation: Sequences, validation_labels: Labels
    ) -> LinearClassifier:
        """`labels` are int64 [rows]."""
        features = self._features.fit_transform(_documents(training))
        held_out = self._features.transform(_documents(validation))
        fitted = [LogisticRegression(C=c, max_iter=1000).fit(features, labels) for c in STRENGTHS]
        self._regression = max(fitted, key=lambda one: one.score(held_out, validation_labels))
        return self

    @property
    def strength(self) -> float:
        """The C that was chosen."""
        return float(self._regression.C)

    def predict(self, sequences: Sequences) -> Labels:
        """int64 [rows]."""
        predicted: Labels = self._regression.predict(self._features.transform(_documents(sequences)))
        return predicted


def majority(labels: Labels) -> int:
    """The most frequent label; of several, the first."""
    return int(np.bincount(labels).argmax())


def _documents(sequences: Sequences) -> list[str]:
    """The token ids as blank-separated text."""
    ids, offsets = sequences.ids.astype(str), sequences.offsets
    return [" ".join(ids[start:end]) for start, end in pairwise(offsets)]
