"""TF-IDF over single tokens and pairs with logistic regression, as arrays that a network can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import check_array, check_finite
from ..errors import InputError
from ..inputs import Sequences
from .candidate import setting
from .tfidf_kernels import NOT_FOUND, hash_table, tfidf_logits

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# scikit-learn's C, and the gradient of the mean loss at which its fit ends. Each fit starts from the weights
# of the one before, and at scikit-learn's own 1e-4, C = 100 would end there without a step.
C_TOLERANCES = {1.0: 1e-4, 10.0: 1e-4, 100.0: 3e-5}
ABSENT_BIAS = -30.0  # of a class without training rows


@dataclass(frozen=True)
class TfidfModel:
    """logits = W'x / |x| + b, with x the counts of the row's n-grams times their inverse document frequency.

    `keys` int64 [features], rising: a token's id, or first << 32 | second for a pair. `idf` float32
    [features], `weights` float32 [features, classes], `bias` float32 [classes]; all are finite. N-grams that
    were not in the training rows are ignored. Arrays that do not fit one another are an InputError.
    """

    keys: NDArray[np.int64]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    setting: str = ""

    def __post_init__(self) -> None:
        features, classes = self.keys.size, self.classes
        check_array("keys", self.keys, np.int64, (features,))
        check_array("idf", self.idf, np.float32, (features,))
        check_array("weights", self.weights, np.float32, (features, classes))
        check_array("bias", self.bias, np.float32, (classes,))
        for name in ("idf", "weights", "bias"):
            check_finite(name, getattr(self, name))
        if (self.keys[1:] <= self.keys[:-1]).any():
            raise InputError("keys do not rise, as expected")

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.bias.size

    @classmethod
    def from_counts(cls, labels: NDArray[np.int64], classes: int) -> TfidfModel:
        """Return a model without n-grams, whose logits are the logarithms of the classes' shares."""
        counts = np.bincount(labels, minlength=classes)
        bias = np.where(counts > 0, np.log(np.maximum(counts, 1) / len(labels)), ABSENT_BIAS)
        no_features = np.empty(0, np.float32)
        return cls(
            np.empty(0, np.int64), no_features, np.empty((0, classes), np.float32), bias.astype(np.float32)
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> TfidfModel:
        """Return the model that `arrays` describes."""
        return cls(arrays["keys"], arrays["idf"], arrays["weights"], arrays["bias"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, to be saved."""
        return {"keys": self.keys, "idf": self.idf, "weights": self.weights, "bias": self.bias}

    @cached_property
    def _slots(self) -> NDArray[np.int64]:
        slots: NDArray[np.int64] = hash_table(self.keys)
        return slots

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the feature of each of the keys int64 [n], int64 [n]; NOT_FOUND if it is none."""
        indices = np.searchsorted(self.keys, keys)
        inside = np.minimum(indices, max(0, len(self.keys) - 1))
        known = self.keys[inside] == keys if len(self.keys) else np.zeros(len(keys), np.bool_)
        return np.where(known, inside, NOT_FOUND)

    def logits(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return the logits, float32 [rows, classes]."""
        logits: NDArray[np.float32] = tfidf_logits(
            sequences.ids, sequences.offsets, self._slots, self.idf, self.weights, self.bias
        )
        return logits

    def predict(self, sequences: Sequences) -> NDArray[np.int64]:
        """Return the labels, int64 [rows]."""
        predicted: NDArray[np.int64] = self.logits(sequences).argmax(axis=1)
        return predicted


def candidates(
    training: Sequences, labels: NDArray[np.int64], classes: int, balanced: bool = False
) -> Iterator[TfidfModel]:
    """Fit scikit-learn's models for each C, on labels int64 [rows] of two classes or more.

    If `balanced`, every class has the same weight.
    """
    from sklearn.feature_extraction.text import TfidfTransformer  # late: prediction must not wait for them
    from sklearn.linear_model import LogisticRegression

    features, counts = distinct_ngrams(training)
    transformer = TfidfTransformer()
    weighted = transformer.fit_transform(counts)
    idf = transformer.idf_.astype(np.float32)
    class_weight = "balanced" if balanced else None
    regression = LogisticRegression(max_iter=1000, class_weight=class_weight, warm_start=True)
    for strength, tolerance in C_TOLERANCES.items():
        regression.set_params(C=strength, tol=tolerance).fit(weighted, labels)
        present = regression.classes_
        weights = np.zeros((len(features), classes), np.float32)
        bias = np.full(classes, ABSENT_BIAS, np.float32)
        if len(present) == 2:  # scikit-learn gives the logit of the second alone
            weights[:, present[1]], bias[present] = regression.coef_[0], [0, regression.intercept_[0]]
        else:
            weights[:, present], bias[present] = regression.coef_.T, regression.intercept_
        yield TfidfModel(features, idf, weights, bias, setting(f"C = {strength:g}", balanced))


def distinct_ngrams(sequences: Sequences) -> tuple[NDArray[np.int64], csr_matrix]:
    """Return the keys of the tokens and pairs that occur, and how often each row has each.

    The keys are int64 [features], rising; the counts as `ngram_counts` has them, in a third of the time.
    """
    keys, rows = ngrams(sequences)
    features, columns = np.unique(keys, return_inverse=True)
    return features, _counts(rows, columns, len(sequences), len(features))


def ngram_counts(sequences: Sequences, features: NDArray[np.int64]) -> csr_matrix:
    """Return how often each row has each of the `features`, float32 [rows, features].

    These are keys of tokens and pairs, int64 [features], rising; others are not counted. Without features
    there is a column of zeros, as scikit-learn takes no matrix without columns.
    """
    keys, rows = ngrams(sequences)
    columns = np.searchsorted(features, keys)
    known = np.append(features, -1)[columns] == keys  # no key is negative
    return _counts(rows[known], columns[known], len(sequences), len(features))


def _counts(rows: NDArray[np.int64], columns: NDArray[np.int64], height: int, width: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (height, max(1, width)))


def ngrams(sequences: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys of all tokens and pairs, int64 [n], and the rows that they occur in, int64 [n]."""
    ids = sequences.ids.astype(np.int64)
    rows = np.repeat(np.arange(len(sequences)), sequences.lengths)
    inside = rows[1:] == rows[:-1]
    pairs = (ids[:-1] << 32 | ids[1:])[inside]
    return np.concatenate([ids, pairs]), np.concatenate([rows, rows[1:][inside]])
