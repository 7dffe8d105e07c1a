"""Naive Bayes' weights of features, as the logarithms of ratios of counts (Wang & Manning 2012)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Doubles, Flags, Floats, Labels

# Of naive Bayes beside an SVM on one TF-IDF. On 45 splits of MR, SST-2, TREC, banking77, ChnSentiCorp and
# docstrings the pool has 0.05 points less with 0.03, 0.12 with 0.1, 0.26 with 0.3, and 0.03 with 0.003.
SMOOTHING = 0.01


def log_count_ratio(
    features: Any, positive: Flags, smoothing: float = 1.0, total: Doubles | None = None
) -> Doubles:
    """Return log((p / |p|) / (q / |q|)), float64 [features], where |.| is the sum of magnitudes.

    With `positive` bool [rows], p is the smoothing + the sum of these rows of the sparse matrix, and q of all
    others. `total` is `sums` of the matrix, for whoever has it already.
    """
    own = sums(features[positive])
    others = (sums(features) if total is None else total) - own
    p, q = smoothing + own, smoothing + others
    ratio: Doubles = np.log((p / p.sum()) / (q / q.sum()))
    return ratio


def sums(matrix: Any) -> Doubles:
    """Return the sums of a sparse matrix's columns, float64 [features]."""
    return np.bincount(matrix.indices, matrix.data, matrix.shape[1]).astype(np.float64, copy=False)


def naive_bayes(matrix: Any, labels: Labels, classes: int, weights: Floats | None = None) -> Floats:
    """Return the weights of each class against all others, float32 [features, classes].

    `matrix` is sparse, of [rows, features] at or above 0, and `labels` int64 [rows]; `weights` above 0 [rows]
    multiply the rows. A class that no row has, or every row, has weights of 0.
    """
    from scipy.sparse import diags

    if weights is not None:
        matrix = (diags(weights) @ matrix).tocsr()
    total, found = sums(matrix), np.zeros((matrix.shape[1], classes), np.float32)
    for label in range(classes):
        positive = labels == label
        if 0 < np.count_nonzero(positive) < len(labels):
            found[:, label] = log_count_ratio(matrix, positive, SMOOTHING, total)
    return found
