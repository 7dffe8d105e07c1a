"""NBSVM over single tokens and pairs (Wang and Manning 2012, "Baselines and Bigrams")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from ..arrays import Labels
from ..inputs import Sequences
from ..linear.naive_bayes import log_count_ratio
from .candidate import NGRAMS, Candidate, FittedCandidate, documents, setting

C_VALUES = (0.01, 0.1, 1.0)  # up to the paper's
INTERPOLATION = 0.25  # the paper's beta


def candidates(
    training: Sequences, labels: Labels, seed: int, balanced: bool, values: Sequence[float]
) -> Iterator[Candidate]:
    """Fit an NBSVM for each C, on labels int64 [rows] of two classes or more."""
    counter = CountVectorizer(binary=True, dtype=np.float64, **NGRAMS)
    features = counter.fit_transform(documents(training))

    def predict(model: NaiveBayesSVM, sequences: Sequences) -> Labels:
        return model.predict(counter.transform(documents(sequences)))

    for strength in values:
        model = NaiveBayesSVM(strength, seed, balanced).fit(features, labels)
        yield FittedCandidate(setting(f"C = {strength:g}", balanced), partial(predict, model))


class NaiveBayesSVM:
    """NBSVM, one class against all others for each class.

    On binary features f [rows, features] and one class's rows: p = 1 + the sum of f over the class,
    q = 1 + the sum over all others, and r = log((p / |p|) / (q / |q|)) with |.| the sum of magnitudes. A
    linear SVM with squared hinge loss on f * r gives w and b; w' = (1 - beta) mean|w| + beta w leans on naive
    Bayes where the SVM is extreme. The mean has no intercept, so that of both is beta b: a row's score is
    w'.(f * r) + beta b, and the highest score wins. `balanced` weights the SVM's rows so that every class has
    the same weight; r stays as it is.
    """

    def __init__(self, C: float, seed: int, balanced: bool = False) -> None:
        self.C = C
        self.balanced = balanced
        self._seed = seed

    def fit(self, features: Any, labels: Labels) -> NaiveBayesSVM:
        """Fit to a sparse matrix of 0 and 1 and `labels` int64 [rows] of two classes or more."""
        self._classes = np.unique(labels)
        # Of two classes, the scores of the first are those of the second with the sign turned.
        positives = self._classes[1:] if len(self._classes) == 2 else self._classes
        weights = compute_sample_weight("balanced" if self.balanced else None, labels)
        fitted = [self._fit_class(features, labels == positive, weights) for positive in positives]
        self._weights = np.column_stack([weights for weights, _ in fitted])  # [features, classes]
        self._biases = np.array([bias for _, bias in fitted])
        return self

    def _fit_class(
        self, features: Any, positive: NDArray[np.bool_], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        ratio = log_count_ratio(features, positive)
        svm = LinearSVC(C=self.C, max_iter=10_000, random_state=self._seed)
        svm.fit(features.multiply(ratio).tocsr(), positive, weights)
        return ratio * interpolated(svm.coef_[0], INTERPOLATION), INTERPOLATION * float(svm.intercept_[0])

    def scores(self, features: Any) -> NDArray[np.float64]:
        """Return the scores, float64 [rows, classes]."""
        scores: NDArray[np.float64] = features @ self._weights + self._biases
        return np.hstack([-scores, scores]) if len(self._classes) == 2 else scores

    def predict(self, features: Any) -> Labels:
        """Return the labels, int64 [rows]."""
        predicted: Labels = self._classes[self.scores(features).argmax(axis=1)]
        return predicted


def interpolated(weights: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Return (1 - beta) mean|w| + beta w."""
    mean = float(np.abs(weights).mean())
    return (1 - beta) * mean + beta * weights
