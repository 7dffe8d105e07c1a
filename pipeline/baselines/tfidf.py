"""TF-IDF over single tokens and pairs with logistic regression, as arrays that a network can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import Sequences
from ..prediction import kernels

# scikit-learn's C, and the gradient of the mean loss at which its fit ends. Each C starts from the weights of
# the one before, and at scikit-learn's own 1e-4, C = 100 would end there without a step.
STRENGTHS = {1.0: 1e-4, 10.0: 1e-4, 100.0: 3e-5}
ABSENT = -30.0  # the bias of a class without training rows


@dataclass(frozen=True)
class NgramModel:
    """logits = W'x / |x| + b, with x the counts of the row's n-grams times their inverse document frequency.

    `keys` int64 [features], rising: a token's id, or first << 32 | second for a pair. `idf` float32
    [features], `weights` float32 [features, classes], `bias` float32 [classes]. An n-gram that was not in
    the training rows counts for nothing.
    """

    keys: NDArray[np.int64]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    setting: str = ""

    @classmethod
    def of_counts(cls, labels: NDArray[np.int64], classes: int) -> NgramModel:
        """Without n-grams: the logarithms of the classes' shares, where there is nothing to learn from."""
        counts = np.bincount(labels, minlength=classes)
        bias = np.where(counts > 0, np.log(np.maximum(counts, 1) / len(labels)), ABSENT).astype(np.float32)
        nothing = np.empty(0, np.float32)
        return cls(np.empty(0, np.int64), nothing, np.empty((0, classes), np.float32), bias)

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> NgramModel:
        """From what `arrays` gives."""
        return cls(arrays["keys"], arrays["idf"], arrays["weights"], arrays["bias"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"keys": self.keys, "idf": self.idf, "weights": self.weights, "bias": self.bias}

    @cached_property
    def _slots(self) -> NDArray[np.int64]:
        slots: NDArray[np.int64] = kernels.hashed(self.keys)
        return slots

    def places(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in `self.keys` each of the keys int64 [n] is, int64 [n]; below 0 where it is not."""
        places = np.searchsorted(self.keys, keys)
        inside = np.minimum(places, max(0, len(self.keys) - 1))
        known = self.keys[inside] == keys if len(self.keys) else np.zeros(len(keys), np.bool_)
        return np.where(known, inside, kernels.EMPTY)

    def logits(self, sequences: Sequences) -> NDArray[np.float32]:
        """float32 [rows, classes]."""
        logits: NDArray[np.float32] = kernels.ngram_logits(
            sequences.ids, sequences.offsets, self._slots, self.idf, self.weights, self.bias
        )
        return logits

    def predict(self, sequences: Sequences) -> NDArray[np.int64]:
        """int64 [rows]."""
        predicted: NDArray[np.int64] = self.logits(sequences).argmax(axis=1)
        return predicted


def candidates(
    training: Sequences, labels: NDArray[np.int64], classes: int, balanced: bool = False
) -> Iterator[NgramModel]:
    """scikit-learn's models for each of STRENGTHS, on labels int64 [rows]: two or more of the classes, each
    of which weighs the same if `balanced`."""
    from scipy.sparse import csr_matrix  # here, as a prediction has no use for the seconds that it takes
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    keys, rows = ngrams(training)
    features, columns = np.unique(keys, return_inverse=True)
    counts = csr_matrix((np.ones(len(keys), np.float32), (rows, columns)), (len(training), len(features)))
    tfidf = TfidfTransformer()
    weighted = tfidf.fit_transform(counts)
    class_weight = "balanced" if balanced else None
    fitted = LogisticRegression(max_iter=1000, class_weight=class_weight, warm_start=True)
    for strength, gradient in STRENGTHS.items():
        fitted.set_params(C=strength, tol=gradient).fit(weighted, labels)
        present = fitted.classes_
        weights = np.zeros((len(features), classes), np.float32)
        bias = np.full(classes, ABSENT, np.float32)
        if len(present) == 2:  # scikit-learn gives the second one's logit alone
            weights[:, present[1]], bias[present] = fitted.coef_[0], [0, fitted.intercept_[0]]
        else:
            weights[:, present], bias[present] = fitted.coef_.T, fitted.intercept_
        idf = tfidf.idf_.astype(np.float32)
        yield NgramModel(features, idf, weights, bias, f"C = {strength:g}{', balanced' * balanced}")


def ngrams(sequences: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The keys of all tokens and pairs, int64 [n], and the rows that they stand in, int64 [n]."""
    ids = sequences.ids.astype(np.int64)
    rows = np.repeat(np.arange(len(sequences)), sequences.lengths)
    inside = rows[1:] == rows[:-1]
    pairs = (ids[:-1] << 32 | ids[1:])[inside]
    return np.concatenate([ids, pairs]), np.concatenate([rows, rows[1:][inside]])
