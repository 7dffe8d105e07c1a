"""Logistic regression on the TF-IDF of single tokens and pairs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from ..arrays import Labels
from ..inputs import Sequences
from ..linear.token_ngrams import TokenFeatures
from .candidate import Candidate, FittedCandidate, setting
from .newton import Regression

C_VALUES = (10.0, 100.0)  # scikit-learn's C; 1 was the best on no corpus
# The largest derivative of the mean loss at which a fit ends. Of 13,256 test rows (of two splits each of MR,
# SST-2, TREC, banking77, ChnSentiCorp, NSMC and docstrings) 10 have another label than by scikit-learn's
# `newton-cg` with 1e-6; with 3e-5 24 have, and 22 by `newton-cg` with 3e-5.
TOLERANCE = 1e-5
ROUGH = 1e-3  # where a fit is but the start of the next
ABSENT_BIAS = -30.0  # of a class without training rows


def candidates(
    training: Sequences, labels: Labels, classes: int, balanced: bool, values: Sequence[float]
) -> Iterator[Candidate]:
    """Fit a regression for each C, rising, on labels int64 [rows] of two classes or more.

    The objective is that of scikit-learn's. If `balanced`, every class has the same weight.
    """
    features = TokenFeatures(training)
    present, numbers = np.unique(labels, return_inverse=True)
    row_weights = compute_sample_weight("balanced" if balanced else None, labels)
    regression = Regression(features.matrix, numbers, len(present), row_weights)
    # Newton's method comes to a large C sooner by way of the smaller ones.
    for strength in C_VALUES[: bisect_left(C_VALUES, min(values))]:
        regression.fit(strength, ROUGH)
    for strength in values:
        fitted = regression.fit(strength, TOLERANCE)
        weights = np.zeros((len(features.keys), classes), np.float32)
        bias = np.full(classes, ABSENT_BIAS, np.float32)
        weighed = present[-fitted.bias.size :]
        bias[present] = 0  # with two classes, that of the first
        weights[:, weighed], bias[weighed] = fitted.weights, fitted.bias
        model = features.model(weights, bias)
        yield FittedCandidate(setting(f"C = {strength:g}", balanced), model.predict)
